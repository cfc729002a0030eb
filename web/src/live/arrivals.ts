import { create } from "zustand";

/** Trades that closed or opened since the trades table was last read: a bar offers them, rows never jump. */
export const useArrivals = create<{ trades: number }>()(() => ({ trades: 0 }));
