import { describe, expect, it } from "vitest";
import { compareDecimals, compareUnknown, percentOf, sumDecimals } from "./decimal";

describe("exact decimals", () => {
  it("orders values that floats cannot tell apart", () => {
    expect(compareDecimals("0.1000000000000000055", "0.1")).toBe(1);
    expect(compareDecimals("-2", "-10.5")).toBe(1);
    expect(compareDecimals("1.50", "1.5")).toBe(0);
  });

  it("puts unknown under everything known", () => {
    expect(["5", null, "-3"].sort(compareUnknown)).toEqual([null, "-3", "5"]);
  });

  it("adds without a rest", () => {
    expect(sumDecimals(["0.1", "0.2"])).toBe("0.3");
    expect(sumDecimals(["100000.00000000", "-0.00000001"])).toBe("99999.99999999");
    expect(sumDecimals(["-5", "2.5"])).toBe("-2.5");
    expect(sumDecimals([])).toBe("0");
  });

  it("takes a whole percentage", () => {
    expect(percentOf("10000", 30n)).toBe("3000.00");
    expect(percentOf("0.5", 20n)).toBe("0.100");
  });
});
