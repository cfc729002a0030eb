import { describe, expect, it } from "vitest";
import { changesOf } from "./changes";

describe("changesOf", () => {
  it("names what differs, within parameters too, and nothing else", () => {
    const before = { params: { fast: 12, slow: 26 }, name: "A" };
    const after = { params: { fast: 5, slow: 26 }, name: "A" };
    expect(changesOf({ before, after })).toEqual([{ name: "params fast", before: "12", after: "5" }]);
  });

  it("keeps what came and what went apart from what changed", () => {
    expect(changesOf({ before: { a: 1 }, after: { b: "x" } })).toEqual([
      { name: "a", before: "1", after: null },
      { name: "b", before: null, after: "x" },
    ]);
    expect(changesOf({ before: null, after: null })).toEqual([]);
  });
});
