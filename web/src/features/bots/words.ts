import type { BotStatus, BulkResult, LifecycleStage, Platform, RiskMode, Verdict } from "@/api/models";

export const PLATFORM_NAMES: Record<Platform, string> = {
  luno: "Luno",
  binance: "Binance",
  kucoin: "KuCoin",
  ovex: "OVEX",
  valr: "VALR",
};

export const STATUS_WORDS: Record<BotStatus, string> = {
  active: "Running",
  paused: "Paused",
  stopped: "Stopped",
  deleted: "Deleted",
};

const PAUSES: Record<string, string> = {
  USER_PAUSED: "by hand",
  EMERGENCY_STOP: "by an emergency stop",
  STRATEGY_ERROR: "its strategy failed; the alert says how",
};

/** Why a bot is paused: our own codes in words, anything else as it was given. */
export function pauseWords(reason: string): string {
  return PAUSES[reason] ?? reason;
}

export const STAGE_WORDS: Record<LifecycleStage, string> = {
  paper_training: "Paper training",
  eligible_for_live: "Eligible for live",
  live: "Live",
  quarantined: "Quarantined",
};

export const VERDICT_WORDS: Record<Verdict, string> = {
  buy: "Bought",
  sell: "Sold",
  hold: "Held",
  blocked: "Blocked",
  warming_up: "Warming up",
  stale: "Data too old",
};

/** Share of a bot's capital that one position may use. */
export const RISK_WORDS: Record<RiskMode, { name: string; stakePercent: bigint }> = {
  safe: { name: "Safe", stakePercent: 20n },
  balanced: { name: "Balanced", stakePercent: 30n },
  risky: { name: "Risky", stakePercent: 40n },
  aggressive: { name: "Aggressive", stakePercent: 50n },
};

/** What a bulk action did, in one sentence: how many changed, and why the others did not. */
export function bulkSentence(verb: string, { changed, skipped }: BulkResult): string {
  const bots = changed === 1 ? "1 bot" : `${changed} bots`;
  const rest = skipped.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  return rest ? `${verb} ${bots}. Not changed: ${rest}` : `${verb} ${bots}`;
}
