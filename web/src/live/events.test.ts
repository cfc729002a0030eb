import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import type { ActivityItem, Bot, Page } from "@/api/models";
import { botRow } from "@/test/rows";
import { describeArrivals, takeArrivals, useArrivals } from "./arrivals";
import { applyEvent } from "./events";
import { Refresh } from "./refresh";

const at = "2026-11-22T12:00:00Z";

function setting() {
  const client = new QueryClient();
  const announce = vi.fn();
  const invalidated = vi.spyOn(client, "invalidateQueries");
  const refresh = new Refresh(client);
  const apply = (type: string, payload: object, seq = 1) =>
    applyEvent({ type, seq, at, ...payload }, { client, refresh, announce });
  return { client, announce, invalidated, refresh, apply };
}

describe("events", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("put a changed bot where it is shown, whole", () => {
    const { client, apply } = setting();
    const [one, two] = [botRow({ id: "1" }), botRow({ id: "2" })];
    client.setQueryData(keys.bots, [one, two]);
    client.setQueryData(keys.bot("2"), two);
    const paused = botRow({ id: "2", status: "paused" });
    apply("bot_paused", { message: "", bot: paused });
    expect(client.getQueryData(keys.bots)).toEqual([one, paused]);
    expect(client.getQueryData(keys.bot("2"))).toEqual(paused);
  });

  it("add a new bot once", () => {
    const { client, apply } = setting();
    client.setQueryData(keys.bots, [] as Bot[]);
    apply("bot_created", { message: "", bot: botRow({ id: "3" }) });
    apply("bot_created", { message: "", bot: botRow({ id: "3" }) });
    expect(client.getQueryData<Bot[]>(keys.bots)).toHaveLength(1);
  });

  it("take a deleted bot away", () => {
    const { client, apply } = setting();
    client.setQueryData(keys.bots, [botRow({ id: "1" })]);
    apply("bot_deleted", { message: "", bot_id: "1" });
    expect(client.getQueryData(keys.bots)).toEqual([]);
  });

  it("create no list that was never read: unknown stays unknown", () => {
    const { client, apply } = setting();
    apply("bot_created", { message: "", bot: botRow({ id: "3" }) });
    expect(client.getQueryData(keys.bots)).toBeUndefined();
  });

  it("count new trades instead of moving the table", () => {
    const { apply } = setting();
    takeArrivals();
    apply("trade_executed", { message: "", bot_id: "1", fill: {}, trade: { id: "t" } });
    expect(useArrivals.getState().trades.size).toBe(1);
    expect(describeArrivals(1)).toBe("1 new trade");
  });

  it("stop counting new trades at a thousand, so that a page left open does not grow", () => {
    const { apply } = setting();
    takeArrivals();
    for (let number = 0; number < 1_500; number += 1) {
      apply("trade_executed", { message: "", bot_id: "1", fill: {}, trade: { id: String(number) } });
    }
    expect(describeArrivals(useArrivals.getState().trades.size)).toBe("over 1000 new trades");
  });

  it("are remembered newest first, also those that this build does not know", () => {
    const { client, apply } = setting();
    client.setQueryData<Page<ActivityItem>>(keys.activity, { items: [], next_cursor: null });
    apply("alert", { message: "first", severity: "info" }, 1);
    apply("something_newer", { message: "second" }, 2);
    const items = client.getQueryData<Page<ActivityItem>>(keys.activity)?.items;
    expect(items?.map(({ payload }) => payload.message)).toEqual(["second", "first"]);
  });

  it("announce warnings and nothing less", () => {
    const { apply, announce } = setting();
    apply("alert", { message: "fine", severity: "info" });
    apply("alert", { message: "feed stale", severity: "warning" });
    expect(announce.mock.calls).toEqual([["feed stale", "warning"]]);
  });

  it("are not undone by an answer that was asked for before", async () => {
    const { client, apply } = setting();
    const answers: ((mode: object) => void)[] = [];
    const stop = new QueryObserver(client, {
      queryKey: keys.mode,
      queryFn: () => new Promise<object>((resolve) => answers.push(resolve)),
    }).subscribe(() => undefined);
    apply("mode_switched", { message: "", mode: "live", base: "live", mode_data: { mode: "live" } });
    answers[0]?.({ mode: "paper" });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(answers).toHaveLength(2);
    answers[1]?.({ mode: "live" });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.getQueryData(keys.mode)).toEqual({ mode: "live" });
    expect(answers).toHaveLength(2);
    stop();
  });

  it("cost one read per list, however many come at once", () => {
    const { apply, invalidated } = setting();
    for (let seq = 1; seq <= 1_000; seq++) apply("profit_updated", { message: "", bot_id: "1" }, seq);
    vi.advanceTimersByTime(1_000);
    const profits = invalidated.mock.calls.filter(([filters]) => filters?.queryKey?.[0] === "profits");
    expect(profits).toHaveLength(1);
  });
});
