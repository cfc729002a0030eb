import type { ProfitBar } from "@/api/models";

const WEEK = /^(\d{4})-W(\d{2})$/;
const DAY_S = 86_400;

/** UTC seconds of the Monday on which an ISO week begins. */
function mondayOf(year: number, week: number): number {
  const fourth = new Date(Date.UTC(year, 0, 4));
  const weekday = (fourth.getUTCDay() + 6) % 7;
  return fourth.getTime() / 1000 + ((week - 1) * 7 - weekday) * DAY_S;
}

/** Where a bar stands on the axis: "2026-11-22", "2026-W47" or "2026-11"; null for a label that is none of them. */
export function startOf({ label, start }: Pick<ProfitBar, "label" | "start">): number | null {
  for (const text of [label, start]) {
    const week = WEEK.exec(text);
    if (week) return mondayOf(Number(week[1]), Number(week[2]));
    const day = /^(\d{4}-\d{2})(-\d{2})?/.exec(text);
    if (day) return Date.parse(`${day[1]}${day[2] ?? "-01"}T00:00:00Z`) / 1000;
  }
  return null;
}
