import { useSyncExternalStore } from "react";
import { useZone } from "@/fmt/prefs";
import { formatAge, formatClock, formatMoment } from "@/fmt/time";
import { useConnection } from "@/live/connection";
import { Unknown } from "./unknown";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let present = Date.now();

/** One clock for every age on the page, ticking once a second only while somebody looks at it. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    present = Date.now();
    timer = setInterval(() => {
      present = Date.now();
      for (const each of listeners) each();
    }, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The server's present time in milliseconds, ticking once a second. */
export function useServerNow(): number {
  const offset = useConnection((connection) => connection.clockOffsetMs);
  return useSyncExternalStore(subscribe, () => present) + offset;
}

const HOUR_MS = 3_600_000;

/** "12 s ago" under an hour, the absolute time from then on; always absolute on hover. */
export function Ago({ at, reason }: { at: string | null | undefined; reason?: string }) {
  const now = useServerNow();
  const zone = useZone();
  if (!at) return <Unknown reason={reason ?? "It has not happened yet."} />;
  const age = now - Date.parse(at);
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {age < HOUR_MS ? `${formatAge(age)} ago` : formatMoment(at, zone)}
    </time>
  );
}

/** A moment in the user's zone, to the second. */
export function Moment({ at, clockOnly = false }: { at: string | null | undefined; clockOnly?: boolean }) {
  const zone = useZone();
  if (!at) return <Unknown reason="It has not happened yet." />;
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {clockOnly ? formatClock(at, zone) : formatMoment(at, zone)}
    </time>
  );
}

/** "in 12 min", counting down to a moment of the server's clock. */
export function Countdown({ to }: { to: string }) {
  const left = Date.parse(to) - useServerNow();
  return <Titled at={to}>{left <= 0 ? "now" : `in ${formatAge(left)}`}</Titled>;
}

function Titled({ at, children }: { at: string; children: string }) {
  const zone = useZone();
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {children}
    </time>
  );
}
