import { describe, expect, it } from "vitest";
import { axisRand, formatMoney, placesOf } from "./money";
import { formatNumber, parseTyped } from "./number";

const NBSP = "\u00a0";
const plain = (text: string) => text.replaceAll(NBSP, " ");

describe("money from decimal strings", () => {
  it("keeps every digit of a figure that no float can hold", () => {
    const text = formatMoney("12345678901234567890.12", { style: "comma" });
    expect(plain(text)).toBe("R 12 345 678 901 234 567 890,12");
  });

  it("writes gains with a plus, losses with a true minus, and zero with neither", () => {
    const signed = (value: string) => plain(formatMoney(value, { style: "comma", sign: "always" }));
    expect(signed("1874.11000000")).toBe("+R 1 874,11");
    expect(signed("-312.40")).toBe("\u2212R 312,40");
    expect(signed("0.00000000")).toBe("R 0,00");
  });

  it("gives no sign to a loss that rounds to zero", () => {
    expect(plain(formatMoney("-0.001", { style: "comma", sign: "always" }))).toBe("R 0,00");
  });

  it("shows eight places of a coin and two of a dollar coin", () => {
    expect(plain(formatMoney("0.014727", { style: "comma", currency: "BTC" }))).toBe("0,01472700 BTC");
    expect(plain(formatMoney("548.211", { style: "point", currency: "USDT" }))).toBe("548.21 USDT");
  });

  it("refuses what is no number instead of showing zero", () => {
    for (const bad of ["", "NaN", "Infinity", "12,5", "R 5"]) {
      expect(() => formatNumber(bad, { minPlaces: 0, maxPlaces: 2, style: "comma" })).toThrow(RangeError);
    }
  });

  it("keeps neighbouring axis marks different, however close they are", () => {
    expect(plain(axisRand(100_000.25, 0.5, "comma"))).toBe("R 100 000,25");
    expect(plain(axisRand(100_000.25, 500, "comma"))).toBe("R 100 000");
    expect(plain(axisRand(1_234_567, 400_000, "comma"))).toBe("R 1,23 m");
  });

  it("reads the places of a price from its tick", () => {
    expect([placesOf("0.01"), placesOf("1"), placesOf("0.00010000")]).toEqual([2, 0, 4]);
  });
});

describe("numbers as people type them", () => {
  it.each([
    ["10000", "10000"],
    ["10 000", "10000"],
    ["10 000,50", "10000.50"],
    ["10,000.50", "10000.50"],
    ["R 1 234,5", "1234.5"],
  ])("%s is %s", (typed, value) => expect(parseTyped(typed)).toBe(value));

  it.each(["", "abc", "1,2,3.", "-5", "1e5"])("%s is none", (typed) => expect(parseTyped(typed)).toBeNull());
});
