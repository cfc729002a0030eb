import { describe, expect, it } from "vitest";
import { curve } from "./equity-chart";

const point = (minute: number, equity: string, drawdown: number | null = 0) => ({
  at: `2026-11-26T10:${String(minute).padStart(2, "0")}:00Z`,
  equity,
  realized_profit: "0",
  unrealized_profit: "0",
  drawdown_percent: drawdown,
});

describe("the equity curve", () => {
  it("begins where something is at stake: the first deposit is no gain", () => {
    const funded = point(2, "200000");
    expect(curve([point(0, "0", null), point(1, "0", null), funded])).toEqual([funded]);
  });

  it("ends at the figure of now when that is newer than the last snapshot", () => {
    const items = [point(0, "200000"), point(5, "200100")];
    const now = point(7, "200011.47");
    expect(curve(items, now)).toEqual([...items, now]);
    expect(curve(items, point(4, "1"))).toEqual(items);
  });

  it("is empty, not a single dot of now, while nothing was noted", () => {
    expect(curve([], point(7, "1"))).toEqual([]);
  });
});
