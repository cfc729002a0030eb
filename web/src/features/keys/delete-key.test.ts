import { describe, expect, it } from "vitest";
import { botRow } from "@/test/rows";
import { botsThatNeed } from "./delete-key";

describe("botsThatNeed", () => {
  it("names the live bots of that exchange and no other", () => {
    const live = botRow({ id: "1", platform: "luno", trading_mode: "live" });
    const bots = [
      live,
      botRow({ id: "2", platform: "luno", trading_mode: "paper" }),
      botRow({ id: "3", platform: "valr", trading_mode: "live" }),
    ];
    expect(botsThatNeed("luno", bots)).toEqual([live]);
    expect(botsThatNeed("openai", bots)).toEqual([]);
  });
});
