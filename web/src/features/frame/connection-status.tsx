import { clsx } from "clsx";
import { formatAge } from "@/fmt/time";
import { useConnection } from "@/live/connection";
import type { ConnectionState } from "@/live/socket";
import { useServerNow } from "@/ui/age";

const SHAPE: Record<ConnectionState, string> = {
  connecting: "border-2 border-current rounded-full",
  live: "bg-current rounded-full",
  catching_up: "border-2 border-current rounded-full",
  stale: "bg-current",
  offline: "border-2 border-current",
  signed_out: "border-2 border-current",
};

/** State in words and shape, with the age of what is on screen once it is not live. */
export function ConnectionStatus() {
  const { state, latencyMs, heardAt, clockOffsetMs } = useConnection();
  const now = useServerNow() - clockOffsetMs;
  const age = heardAt === null ? null : formatAge(now - heardAt);
  const old = age === null ? "no data yet" : `data ${age} old`;
  const words: Record<ConnectionState, string> = {
    connecting: "Connecting…",
    live: latencyMs === null ? "Realtime" : `Realtime, ${Math.round(latencyMs)} ms`,
    catching_up: "Catching up…",
    stale: `No heartbeat, ${old}`,
    offline: `Reconnecting, ${old}`,
    signed_out: "Signed out",
  };
  const spoken: Record<ConnectionState, string> = {
    connecting: "Connecting",
    live: "Connected, realtime",
    catching_up: "Catching up",
    stale: "The server has gone quiet",
    offline: "Connection lost, reconnecting",
    signed_out: "Signed out",
  };
  return (
    <span className="flex items-center gap-2 text-sm whitespace-nowrap" data-connection={state}>
      <span aria-hidden className={clsx("inline-block size-2.5", SHAPE[state])} />
      <span aria-hidden className={clsx(state === "live" && "max-sm:hidden")}>
        {words[state]}
      </span>
      {/* Only the state is announced; the running age and latency are not. */}
      <span role="status" className="sr-only">
        {spoken[state]}
      </span>
    </span>
  );
}
