/** Small validators for what stands in the address: anything else falls back, nothing throws. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.find((option) => option === value) ?? fallback;
}

export function maybeOneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((option) => option === value);
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export const MODES = ["paper", "live"] as const;
export const RANGES = ["day", "week", "month", "year", "all"] as const;
export const PLATFORMS = ["luno", "binance", "kucoin", "ovex", "valr"] as const;
