import { create } from "zustand";

export interface Tick {
  price: string;
  at: number;
}

type Prices = Record<string, Tick>;

/** Last price of each instrument. Components subscribe to one instrument each. */
export const usePrices = create<Prices>()(() => ({}));

/** Collects ticks and publishes them at most four times a second, in one animation frame. */
export class PriceBatch {
  #waiting: Prices = {};
  #scheduled = false;
  #paintedAt = Number.NEGATIVE_INFINITY;
  readonly #publish: (prices: Prices) => void;
  readonly #nextFrame: (callback: (at: number) => void) => void;

  constructor(publish: (prices: Prices) => void, nextFrame: (callback: (at: number) => void) => void) {
    this.#publish = publish;
    this.#nextFrame = nextFrame;
  }

  add(prices: Record<string, [price: string, ts_ms: number]>): void {
    for (const [instrument, [price, at]] of Object.entries(prices)) {
      this.#waiting[instrument] = { price: String(price), at };
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#nextFrame((at) => this.#paint(at));
  }

  #paint(at: number): void {
    if (at - this.#paintedAt < PAINT_MS) {
      this.#nextFrame((later) => this.#paint(later));
      return;
    }
    this.#paintedAt = at;
    this.#scheduled = false;
    const ready = this.#waiting;
    this.#waiting = {};
    this.#publish(ready);
  }
}

const PAINT_MS = 250;
