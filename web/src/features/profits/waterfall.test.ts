import { describe, expect, it } from "vitest";
import type { ProfitSummary } from "@/api/models";
import { barsOf, residue, stepsOf } from "./waterfall";

const step = (value: string | null, result = true) => ({ name: "x", value, result });

describe("barsOf", () => {
  it("lets each step begin where the one before it ended", () => {
    const [deposits, gain, loss, equity] = barsOf([step("100", false), step("20"), step("-30")], "90");
    expect(gain?.left).toBeCloseTo((deposits?.left ?? 0) + (deposits?.width ?? 0));
    expect((loss?.left ?? 0) + (loss?.width ?? 0)).toBeCloseTo((gain?.left ?? 0) + (gain?.width ?? 0));
    expect(equity?.width).toBeCloseTo(loss?.left ?? -1);
    expect([deposits?.tone, gain?.tone, loss?.tone]).toEqual(["ink", "gain", "loss"]);
  });

  it("draws nothing for an unknown step or an unknown equity", () => {
    expect(barsOf([step(null)], null)).toEqual([undefined, undefined]);
  });
});

describe("the steps", () => {
  it("show no realised gain while only the fees of open positions were paid, and add up", () => {
    const summary = {
      deposits: "200000.00",
      realized_profit: "0.00",
      total_fees: "18.04",
      fx_profit: "34.30",
      unrealized_profit: "-23.07",
      rounding: "0.00",
      equity: "200011.23",
    } as ProfitSummary;
    const steps = stepsOf(summary);
    expect(steps.filter(({ value }) => value === "18.04" || value === "-18.04")).toEqual([]);
    expect(Number(residue(steps, summary.equity))).toBe(0);
  });
});
