/** What a chart shows, as data. Floats are allowed here and nowhere else. Times are UTC seconds. */
export interface Point {
  time: number;
  value: number;
}

export interface Ohlcv {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

export interface Marker {
  time: number;
  side: "buy" | "sell";
  text: string;
}

export interface Level {
  price: number;
  title: string;
  kind: "position" | "order" | "stop";
}

export type Series =
  | { kind: "baseline"; base: number; data: Point[] }
  | { kind: "line"; data: Point[]; dashed?: boolean }
  /** Stretches of time behind the other series; the points are those of the axis that lie in one. */
  | { kind: "shade"; times: number[] }
  | { kind: "bars"; data: Point[] }
  | { kind: "candles"; data: Ohlcv[]; markers: Marker[]; levels: Level[] };

/** One row of the table beside the chart, and what the arrow keys speak. */
export interface Row {
  time: number;
  /** Where the crosshair stands on the price axis. */
  value: number;
  cells: string[];
}

/** Keeps the last of several points in one second and puts them in order, as the library demands. */
export function ascending<T extends { time: number }>(points: T[]): T[] {
  const byTime = new Map(points.map((point) => [point.time, point]));
  return [...byTime.values()].sort((a, b) => a.time - b.time);
}

/** The last row that is not after a moment; charts beside each other rarely share their exact times. */
export function rowAt(rows: Row[], time: number): Row | null {
  return rows.findLast((row) => row.time <= time) ?? null;
}

export const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);
