import { describe, expect, it } from "vitest";
import { cellsOf, monthsOf, yearsOf } from "./calendar";

const day = (date: string, profit: string) => ({
  date,
  profit,
  running: profit,
  fees: "0",
  trades: 1,
  wins: 0,
  losses: 0,
});

describe("cellsOf", () => {
  it("has every day once, also those without fills", () => {
    const cells = cellsOf({ first: "2026-12-30", last: "2027-01-02", days: [day("2026-12-31", "-50")] });
    expect(cells.map(({ date }) => date)).toEqual(["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]);
    expect(cells.map(({ profit }) => profit)).toEqual([null, "-50", null, null]);
    expect(cells[1]?.strength).toBe(-1);
  });

  it("puts Monday first and the next Monday in the next column", () => {
    const cells = cellsOf({ first: "2026-11-22", last: "2026-11-23", days: [] });
    expect(cells.map(({ weekday }) => weekday)).toEqual([6, 0]);
    expect((cells[1]?.week ?? 0) - (cells[0]?.week ?? 0)).toBe(1);
  });
});

describe("yearsOf", () => {
  it("gives each year with fills its own block, the newest first, from its first shown week", () => {
    const days = [day("2026-03-02", "1"), day("2027-01-02", "1")];
    const years = yearsOf(cellsOf({ first: "2026-03-01", last: "2029-02-28", days }));
    expect(years.map(({ year }) => year)).toEqual([2027, 2026]);
    expect(years.map(({ days }) => days[0]?.week)).toEqual([0, 0]);
  });

  it("names months where they begin, without overlap", () => {
    const [year] = yearsOf(
      cellsOf({ first: "2026-01-29", last: "2026-03-31", days: [day("2026-02-01", "1")] }),
    );
    expect(monthsOf(year?.days ?? []).map(({ name }) => name)).toEqual(["Feb", "Mar"]);
  });
});
