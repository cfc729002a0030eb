/**
 * One socket to `/api/ws`: keeps itself open, resumes by sequence, and tells what it knows.
 * It holds no data; `events.ts` decides what an event changes.
 */
export type ConnectionState = "connecting" | "live" | "catching_up" | "stale" | "offline" | "signed_out";

export interface Hello {
  type: "hello";
  seq: number;
  oldest: number;
  resumed: boolean;
  dashboard_sha: string | null;
  heartbeat_s: number;
  server_time: string;
}

export interface SequencedEvent {
  type: string;
  seq: number;
  at: string;
  [field: string]: unknown;
}

type Price = [price: string, ts_ms: number];
type Pong = { type: "pong"; id: number };
type Prices = { type: "prices"; prices: Record<string, Price> };
type Decided = { type: "decided"; bots: string[] };
type Heartbeat = { type: "heartbeat"; seq: number; server_time: string };
type CannotResume = { type: "cannot_resume"; oldest: number };
type Frame = Hello | Heartbeat | Prices | Decided | CannotResume | Pong | SequencedEvent;

export interface Listener {
  onState(state: ConnectionState): void;
  /** Anything at all arrived: the connection is alive. `serverTime` when the frame carried it. */
  onHeard(serverTime: string | null): void;
  onHello(hello: Hello): void;
  onLatency(ms: number): void;
  onEvent(event: SequencedEvent): void;
  onPrices(prices: Record<string, Price>): void;
  /** Bots that have decided since the last such frame. */
  onDecided(bots: string[]): void;
  /** Events were missed for good: everything on screen must be read again. */
  onGap(): Promise<void>;
}

export interface Transport {
  open(path: string): WebSocket;
  /** "up", "down" or "signed_out", asked over HTTP while the socket cannot be opened. */
  probe(): Promise<"up" | "down" | "signed_out">;
  now(): number;
  random(): number;
}

const FIRST_DELAY_MS = 500;
/** A restart is over within a minute or so; until then a page must be back soon after the server is. */
const RESTART_DELAY_MS = 2_500;
const RESTART_TRIES = 30;
const LAST_DELAY_MS = 15_000;
const PROBE_MS = 60_000;
const DEFAULT_HEARTBEAT_MS = 5_000;

/** Half of the doubled delay is fixed and half is random, so that many tabs do not come back at once. */
export function reconnectDelay(attempt: number, random: number): number {
  const longest = attempt < RESTART_TRIES ? RESTART_DELAY_MS : LAST_DELAY_MS;
  const full = Math.min(longest, FIRST_DELAY_MS * 2 ** attempt);
  return Math.max(FIRST_DELAY_MS, full / 2 + (full / 2) * random);
}

export class LiveSocket {
  #socket: WebSocket | null = null;
  #state: ConnectionState = "connecting";
  #seq: number | null = null;
  #attempt = 0;
  #heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #heardAt = 0;
  #pings = new Map<number, number>();
  #pingId = 0;
  #reconnect: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #health: ReturnType<typeof setInterval> | undefined;
  #closed = true;
  readonly #listener: Listener;
  readonly #transport: Transport;

  constructor(listener: Listener, transport: Transport) {
    this.#listener = listener;
    this.#transport = transport;
  }

  start(): void {
    this.#closed = false;
    this.#watch = setInterval(() => this.#checkSilence(), 1_000);
    this.#connect();
  }

  stop(): void {
    this.#closed = true;
    clearTimeout(this.#reconnect);
    clearInterval(this.#watch);
    clearInterval(this.#health);
    this.#health = undefined;
    this.#discard();
  }

  /** Tries at once: the network or the tab came back. */
  wake(): void {
    if (this.#closed || this.#state === "live" || this.#state === "signed_out") return;
    this.#attempt = 0;
    this.#connect();
  }

  #connect(): void {
    clearTimeout(this.#reconnect);
    this.#discard();
    const after = this.#seq === null ? "" : `?after=${this.#seq}`;
    const socket = this.#transport.open(`/api/ws${after}`);
    this.#socket = socket;
    socket.onmessage = (message) => this.#receive(JSON.parse(String(message.data)) as Frame);
    socket.onclose = () => this.#lost();
    socket.onerror = () => socket.close();
  }

  #discard(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#pings.clear();
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onerror = null;
    // Closing while connecting makes the browser log an error; let it open first.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }

  #lost(): void {
    this.#socket = null;
    if (this.#closed) return;
    this.#say("offline");
    if (this.#health === undefined) {
      void this.#probe();
      this.#health = setInterval(() => void this.#probe(), PROBE_MS);
    }
    this.#reconnect = setTimeout(
      () => this.#connect(),
      reconnectDelay(this.#attempt++, this.#transport.random()),
    );
  }

  async #probe(): Promise<void> {
    const answer = await this.#transport.probe();
    if (answer !== "signed_out" || this.#closed) return;
    this.stop();
    this.#say("signed_out");
  }

  #checkSilence(): void {
    const silence = this.#transport.now() - this.#heardAt;
    if (this.#state === "live" && silence > 2 * this.#heartbeatMs) this.#say("stale");
    // A socket that the network dropped without a word never closes by itself.
    if (this.#state === "stale" && silence > 4 * this.#heartbeatMs) {
      this.#discard();
      this.#lost();
    }
  }

  #receive(frame: Frame): void {
    this.#heardAt = this.#transport.now();
    this.#listener.onHeard("server_time" in frame ? String(frame.server_time) : null);
    if (this.#state === "stale") this.#say("live");
    this.#dispatch(frame);
  }

  #dispatch(frame: Frame): void {
    if (frame.type === "hello") this.#greet(frame as Hello);
    else if (frame.type === "heartbeat") this.#ping();
    else if (frame.type === "pong") this.#pong((frame as Pong).id);
    else if (frame.type === "prices") this.#listener.onPrices((frame as Prices).prices);
    else if (frame.type === "decided") this.#listener.onDecided((frame as Decided).bots);
    else if (frame.type === "cannot_resume") void this.#catchUp();
    else this.#accept(frame as SequencedEvent);
  }

  #greet(hello: Hello): void {
    const first = this.#seq === null;
    this.#attempt = 0;
    this.#heartbeatMs = hello.heartbeat_s * 1000;
    clearInterval(this.#health);
    this.#health = undefined;
    this.#listener.onHello(hello);
    this.#ping();
    if (first || !hello.resumed) {
      this.#seq = hello.seq;
    }
    if (first || hello.resumed) this.#say("live");
    else void this.#catchUp();
  }

  #accept(event: SequencedEvent): void {
    const expected = (this.#seq ?? event.seq - 1) + 1;
    if (event.seq < expected) return;
    this.#seq = event.seq;
    this.#listener.onEvent(event);
    if (event.seq > expected) void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    this.#say("catching_up");
    await this.#listener.onGap();
    if (this.#state === "catching_up") this.#say("live");
  }

  #ping(): void {
    const id = ++this.#pingId;
    this.#pings.set(id, this.#transport.now());
    this.#socket?.send(JSON.stringify({ type: "ping", id }));
  }

  #pong(id: number): void {
    const sentAt = this.#pings.get(id);
    if (sentAt === undefined) return;
    this.#pings.delete(id);
    this.#listener.onLatency(this.#transport.now() - sentAt);
  }

  #say(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listener.onState(state);
  }
}
