import { create } from "zustand";

/** Trades that opened, filled or closed since the table was last read: a bar offers them, rows never jump. */
export const useArrivals = create<{ trades: ReadonlySet<string> }>()(() => ({ trades: new Set() }));

export function noteArrival(tradeId: string): void {
  useArrivals.setState(({ trades }) =>
    trades.has(tradeId) ? {} : { trades: new Set([...trades, tradeId]) },
  );
}

export function takeArrivals(): void {
  useArrivals.setState({ trades: new Set() });
}
