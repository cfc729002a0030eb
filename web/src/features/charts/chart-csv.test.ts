import { describe, expect, it } from "vitest";
import { chartCsv } from "./chart-csv";

describe("chartCsv", () => {
  it("writes heads, UTC times and cells", () => {
    const text = chartCsv(["Equity"], [{ time: 1_795_348_929, value: 1, cells: ["R\u00a01\u00a0234,50"] }]);
    expect(text).toBe('Time (UTC),Equity\r\n2026-11-22T12:02:09.000Z,"R 1 234,50"');
  });

  it("defuses formulas and keeps negative numbers", () => {
    const text = chartCsv(["=cmd()"], [{ time: 0, value: 0, cells: ["@SUM(A1)", "\u221212.5", "+R 3"] }]);
    expect(text.split("\r\n")).toEqual([
      "Time (UTC),'=cmd()",
      "1970-01-01T00:00:00.000Z,'@SUM(A1),-12.5,'+R 3",
    ]);
  });
});
