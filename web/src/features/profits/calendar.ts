import type { ProfitReport } from "@/api/models";

const DAY_MS = 86_400_000;

/** A day of the calendar. `strength` is -1 to 1 of the largest result shown; profit null: no fills. */
export interface Cell {
  date: string;
  nextDate: string;
  profit: string | null;
  trades: number;
  strength: number;
  year: number;
  /** Column within its year. */
  week: number;
  /** Monday is 0. */
  weekday: number;
}

const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const weekdayOf = (ms: number) => (new Date(ms).getUTCDay() + 6) % 7;

/** Every day from the first to the last of a report. */
export function cellsOf({ first, last, days }: Pick<ProfitReport, "first" | "last" | "days">): Cell[] {
  const known = new Map(days.map((day) => [day.date, day]));
  const largest = Math.max(...days.map(({ profit }) => Math.abs(Number(profit))), Number.MIN_VALUE);
  const cells: Cell[] = [];
  const end = Date.parse(last);
  for (let at = Date.parse(first); at <= end; at += DAY_MS) {
    const date = iso(at);
    const day = known.get(date);
    const year = Number(date.slice(0, 4));
    const newYear = Date.UTC(year, 0, 1);
    cells.push({
      date,
      nextDate: iso(at + DAY_MS),
      profit: day?.profit ?? null,
      trades: day?.trades ?? 0,
      strength: day ? Number(day.profit) / largest : 0,
      year,
      week: Math.floor(((at - newYear) / DAY_MS + weekdayOf(newYear)) / 7),
      weekday: weekdayOf(at),
    });
  }
  return cells;
}

/** One block for each year with fills, the newest first; its columns begin with the first week that is shown. */
export function yearsOf(cells: Cell[]): { year: number; days: Cell[] }[] {
  const years = [...new Set(cells.filter(({ profit }) => profit !== null).map(({ year }) => year))].reverse();
  return years.map((year) => {
    const days = cells.filter((cell) => cell.year === year);
    const first = days[0]?.week ?? 0;
    return { year, days: days.map((cell) => ({ ...cell, week: cell.week - first })) };
  });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Columns that a month's name takes. */
const NAME_WIDTH = 2;

/** Where each month's name stands: at its first week, where there is room for it. */
export function monthsOf(days: Cell[]): { name: string; week: number }[] {
  const found: { name: string; week: number }[] = [];
  for (const { date, week } of days) {
    const name = MONTHS[Number(date.slice(5, 7)) - 1] ?? "";
    if (found.at(-1)?.name === name) continue;
    const before = found.at(-1);
    if (before && week - before.week < NAME_WIDTH) found.pop();
    found.push({ name, week });
  }
  return found;
}
