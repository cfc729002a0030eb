import { describe, expect, it } from "vitest";
import { formatAge, formatMoment, startOfDay } from "./time";

describe("times", () => {
  it("shows a moment in the user's zone, to the second, in 24 hours", () => {
    expect(formatMoment("2026-11-22T22:05:09Z", "Africa/Johannesburg")).toBe("23 Nov 2026, 00:05:09");
  });

  it.each([
    [-50, "0 ms"],
    [400, "400 ms"],
    [12_400, "12 s"],
    [180_000, "3 min"],
    [7_300_000, "2 h"],
    [5 * 86_400_000, "5 d"],
  ])("%i ms is %s", (ms, text) => expect(formatAge(ms)).toBe(text));

  it("begins the day where the user lives", () => {
    const now = Date.parse("2026-11-22T23:30:00Z");
    expect(startOfDay(now, "Africa/Johannesburg")).toBe("2026-11-22T22:00:00.000Z");
    expect(startOfDay(now, "UTC")).toBe("2026-11-22T00:00:00.000Z");
    expect(startOfDay(now, "America/New_York")).toBe("2026-11-22T05:00:00.000Z");
  });
});
