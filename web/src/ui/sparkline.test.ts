import { describe, expect, it } from "vitest";
import { sparkPath } from "./sparkline";

describe("sparkPath", () => {
  it("runs from the left edge to the right one, higher values higher", () => {
    expect(sparkPath([0, 5, 10]).path).toBe("M2.0,20.0L44.0,11.0L86.0,2.0");
  });

  it("keeps zero in the box, also when all values lie on one side", () => {
    expect(sparkPath([-4, -8]).zero).toBe(2);
    expect(sparkPath([3, 6]).zero).toBe(20);
  });

  it("draws a flat line for nothing but zeros", () => {
    expect(sparkPath([0, 0]).path).toBe("M2.0,20.0L86.0,20.0");
  });
});
