import { create } from "zustand";
import type { ConnectionState } from "./socket";

/** What the frame shows about the line to the server. Times are this machine's milliseconds. */
interface Connection {
  state: ConnectionState;
  latencyMs: number | null;
  heardAt: number | null;
  /** The server's clock minus ours, so that ages are computed in the server's time. */
  clockOffsetMs: number;
  /** The dashboard that the server would serve now; null until it said so. */
  servedSha: string | null;
}

export const useConnection = create<Connection>()(() => ({
  state: "connecting",
  latencyMs: null,
  heardAt: null,
  clockOffsetMs: 0,
  servedSha: null,
}));

/** True when the server can take commands: buttons are disabled otherwise, never queued. */
export function isReachable(state: ConnectionState): boolean {
  return state === "live" || state === "catching_up" || state === "connecting";
}
