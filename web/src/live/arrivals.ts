import { create } from "zustand";

/** More than anybody counts; past it the bar says "over", and a page left open for weeks does not grow. */
const COUNTED = 1_000;

/** Trades that opened, filled or closed since the table was last read: a bar offers them, rows never jump. */
export const useArrivals = create<{ trades: ReadonlySet<string> }>()(() => ({ trades: new Set() }));

export function noteArrival(tradeId: string): void {
  useArrivals.setState(({ trades }) =>
    trades.size > COUNTED || trades.has(tradeId) ? {} : { trades: new Set([...trades, tradeId]) },
  );
}

export function takeArrivals(): void {
  useArrivals.setState({ trades: new Set() });
}

/** "1 new trade", "12 new trades", "over 1000 new trades". */
export function describeArrivals(count: number): string {
  if (count > COUNTED) return `over ${COUNTED} new trades`;
  return count === 1 ? "1 new trade" : `${count} new trades`;
}
