import type { Instrument, RiskMode, Strategy } from "@/api/models";

/** A bot while it is being put together. */
export interface Draft {
  strategy: Strategy | null;
  params: Record<string, number>;
  timeframe: string;
  market: Instrument | null;
  name: string;
  /** As typed; either decimal separator. */
  capital: string;
  riskMode: RiskMode;
}

export interface StepProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

export const EMPTY_DRAFT: Draft = {
  strategy: null,
  params: {},
  timeframe: "1h",
  market: null,
  name: "",
  capital: "10000",
  riskMode: "balanced",
};

export const TIMEFRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"] as const;
