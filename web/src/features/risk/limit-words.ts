import type { LimitKind } from "@/api/models";

interface Words {
  name: string;
  /** What the number is of. */
  unit: "R" | "%" | "";
}

/** Each kind of limit in the words of the screen. */
export const LIMIT_WORDS: Record<LimitKind, Words> = {
  daily_loss_zar: { name: "Loss of a day", unit: "R" },
  drawdown_pct: { name: "Fall from the peak", unit: "%" },
  exposure_zar: { name: "Exposure in all", unit: "R" },
  asset_exposure_zar: { name: "Exposure in one asset", unit: "R" },
  exchange_exposure_zar: { name: "Exposure at one exchange", unit: "R" },
  stablecoin_exposure_zar: { name: "Exposure to one stablecoin", unit: "R" },
  order_value_zar: { name: "Value of one order", unit: "R" },
  depth_share_pct: { name: "Share of the visible depth", unit: "%" },
  orders_per_minute: { name: "Orders in a minute", unit: "" },
  orders_per_day: { name: "Orders in a day", unit: "" },
  consecutive_losses: { name: "Losses in a row", unit: "" },
  errors_per_hour: { name: "Errors in an hour", unit: "" },
  allowed_pairs: { name: "Pairs that may be traded", unit: "" },
};

export const LIMIT_KINDS = Object.keys(LIMIT_WORDS) as LimitKind[];
