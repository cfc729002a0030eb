/** The states of a panel (one component each): nothing here ever shows zero for unknown. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Clock } from "lucide-react";
import type { ReactNode } from "react";
import { useConnection } from "@/live/connection";
import { Ago } from "./age";
import { Failed } from "./failed";

interface LoadingProps {
  /** What is loading, in a noun: "trades". */
  what: string;
  rows?: number;
  height?: number;
}

/** A skeleton of the final size, invisible for the first 150 ms; after 5 s it says so in words. */
export function Loading({ what, rows = 3, height }: LoadingProps) {
  return (
    <div role="status" aria-label={`Loading ${what}`} className="relative p-4">
      {height === undefined ? (
        <div className="flex flex-col gap-3">
          {Array.from({ length: rows }, (_, row) => (
            <div
              key={`row-${String(row)}`}
              className="skeleton h-5"
              style={{ width: `${92 - ((row * 17) % 40)}%` }}
            />
          ))}
        </div>
      ) : (
        <div className="skeleton" style={{ height }} />
      )}
      <p className="late mt-3 text-ink-2">Still loading {what} (over 5 s).</p>
    </div>
  );
}

/** Says why there is nothing, what will appear, and offers one way on. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-3 p-4 text-ink-2">
      <p className="max-w-[72ch]">{children}</p>
      {action}
    </div>
  );
}

/** A value that is older than it should be: dimmed, with its age. */
export function Stale({ at, children }: { at: string | null; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-ink-2">
      {children}
      <Clock aria-hidden className="size-3.5" />
      <span className="text-sm">
        {at ? (
          <>
            stale, <Ago at={at} />
          </>
        ) : (
          "stale, age unknown"
        )}
      </span>
    </span>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  what: string;
  rows?: number;
  height?: number;
  children: (data: T) => ReactNode;
}

/** The one switch between the states: the last known data stays readable when a refresh fails. */
export function Loaded<T>({ query, what, rows, height, children }: LoadedProps<T>) {
  const offline = useConnection(({ state }) => state === "offline" || state === "stale");
  if (query.data === undefined) {
    if (query.error) return <Failed what={what} error={query.error} onRetry={() => void query.refetch()} />;
    return <Loading what={what} {...(rows && { rows })} {...(height && { height })} />;
  }
  const old = offline || query.error !== null;
  return (
    <>
      {old && (
        <p className="px-4 py-1 text-sm text-ink-2">
          <Stale at={new Date(query.dataUpdatedAt).toISOString()}>Last known {what}</Stale>
        </p>
      )}
      {children(query.data)}
    </>
  );
}
