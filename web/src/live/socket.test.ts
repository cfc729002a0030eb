import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type ConnectionState,
  LiveSocket,
  reconnectDelay,
  type SequencedEvent,
  type Transport,
} from "./socket";

class FakeWebSocket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState: number = WebSocket.OPEN;
  sent: string[] = [];
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  send(text: string) {
    this.sent.push(text);
  }

  close() {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.();
  }

  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

function setting() {
  const sockets: FakeWebSocket[] = [];
  const states: ConnectionState[] = [];
  const events: number[] = [];
  const gaps = vi.fn(async () => undefined);
  const probe = vi.fn<Transport["probe"]>(async () => "down");
  const transport: Transport = {
    open: (path) => {
      const socket = new FakeWebSocket(path);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    probe,
    now: () => Date.now(),
    random: () => 0,
  };
  const live = new LiveSocket(
    {
      onState: (state) => states.push(state),
      onHeard: () => undefined,
      onHello: () => undefined,
      onLatency: () => undefined,
      onEvent: (event: SequencedEvent) => events.push(event.seq),
      onPrices: () => undefined,
      onDecided: () => undefined,
      onGap: gaps,
    },
    transport,
  );
  live.start();
  const last = () => sockets.at(-1) as FakeWebSocket;
  return { live, sockets, states, events, gaps, probe, last };
}

const hello = (seq: number, resumed = false) => ({
  type: "hello",
  seq,
  oldest: 1,
  resumed,
  dashboard_sha: "a1b2c3d",
  heartbeat_s: 5,
  server_time: "2026-11-22T12:00:00Z",
});
const event = (seq: number) => ({ type: "alert", seq, at: "2026-11-22T12:00:00Z", message: "" });

describe("LiveSocket", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is live after the hello and asks for nothing older", () => {
    const { last, states } = setting();
    expect(last().path).toBe("/api/ws");
    last().say(hello(7));
    expect(states).toEqual(["live"]);
  });

  it("resumes from the last event it saw", () => {
    const { last, states, events, gaps } = setting();
    last().say(hello(7));
    last().say(event(8));
    last().close();
    expect(states.at(-1)).toBe("offline");
    vi.advanceTimersByTime(500);
    expect(last().path).toBe("/api/ws?after=8");
    last().say(hello(9, true));
    last().say(event(9));
    expect(events).toEqual([8, 9]);
    expect(states.at(-1)).toBe("live");
    expect(gaps).not.toHaveBeenCalled();
  });

  it("ignores an event that it has had", () => {
    const { last, events } = setting();
    last().say(hello(7));
    last().say(event(8));
    last().say(event(8));
    expect(events).toEqual([8]);
  });

  it("reads everything again after a gap and says so meanwhile", async () => {
    const { last, gaps, states } = setting();
    last().say(hello(7));
    last().say(event(10));
    expect(states.at(-1)).toBe("catching_up");
    await vi.advanceTimersByTimeAsync(0);
    expect(gaps).toHaveBeenCalledTimes(1);
    expect(states.at(-1)).toBe("live");
  });

  it("reads everything again when the server cannot resume", async () => {
    const { last, gaps } = setting();
    last().say(hello(7));
    last().close();
    vi.advanceTimersByTime(500);
    last().say(hello(900, false));
    await vi.advanceTimersByTimeAsync(0);
    expect(gaps).toHaveBeenCalledTimes(1);
  });

  it("is stale after two silent heartbeats and opens a new line after four", () => {
    const { last, states, sockets } = setting();
    last().say(hello(7));
    vi.advanceTimersByTime(11_000);
    expect(states.at(-1)).toBe("stale");
    vi.advanceTimersByTime(11_000);
    expect(states.at(-1)).toBe("offline");
    expect(sockets.length).toBeGreaterThan(1);
  });

  it("stops for good when the session is over", async () => {
    const { last, states, probe, sockets } = setting();
    probe.mockResolvedValue("signed_out");
    last().close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toBe("signed_out");
    expect(sockets).toHaveLength(1);
  });

  it("probes the server once a minute while it is down and not at all while it is up", async () => {
    const { last, probe } = setting();
    last().say(hello(7));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(probe).not.toHaveBeenCalled();
    last().close();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(probe).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(probe).toHaveBeenCalledTimes(2);
  });
});

describe("reconnectDelay", () => {
  it("doubles from half a second, spread by chance", () => {
    expect(reconnectDelay(0, 0)).toBe(500);
    expect(reconnectDelay(2, 0)).toBe(1_000);
    expect(reconnectDelay(2, 1)).toBe(2_000);
  });

  it("stays short while a restart is likely, then gives an outage its time", () => {
    expect(reconnectDelay(29, 1)).toBe(2_500);
    expect(reconnectDelay(30, 1)).toBe(15_000);
  });
});
