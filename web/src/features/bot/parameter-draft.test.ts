import { describe, expect, it } from "vitest";
import type { Strategy } from "@/api/models";
import { changedParams, draftOf, problemOf } from "./parameter-draft";

const parameter = (name: string, type: "int" | "float", usual: number, low: number, high: number) => ({
  name,
  description: "",
  type,
  default: usual,
  low,
  high,
  unit: "",
});
const fast = parameter("fast", "int", 12, 2, 200);
const stop = parameter("stop", "float", 2, 0.1, 50);
const strategy = { parameters: [fast, stop] } as Strategy;

describe("problemOf", () => {
  it.each([
    ["", "Write a number."],
    ["abc", "Write a number."],
    ["2,5", "Write a whole number."],
    ["1", "At least 2."],
    ["-5", "At least 2."],
    ["201", "At most 200."],
    ["200", null],
  ])("says of %j: %j", (typed, problem) => {
    expect(problemOf(fast, typed)).toBe(problem);
  });

  it("takes a comma as a point", () => {
    expect(problemOf(stop, "0,1")).toBeNull();
  });
});

describe("changedParams", () => {
  it("is null while nothing differs, defaults included", () => {
    expect(changedParams(strategy, draftOf(strategy, {}), {})).toBeNull();
    expect(changedParams(strategy, { fast: "12", stop: "2,0" }, { fast: 12 })).toBeNull();
  });

  it("sends every parameter, so that the bot's set is whole", () => {
    expect(changedParams(strategy, { fast: "5", stop: "2" }, {})).toEqual({ fast: 5, stop: 2 });
  });
});
