import { describe, expect, it } from "vitest";
import { barsOf } from "./waterfall";

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
