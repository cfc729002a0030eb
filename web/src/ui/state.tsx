/** The states of a panel (one component each): nothing here ever shows zero for unknown. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Clock, Lock, RotateCw, TriangleAlert, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { useConnection } from "@/live/connection";
import { Ago } from "./age";
import { Button } from "./button";

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

/** The figure is there but incomplete, and this is what is missing. */
export function Partial({ children }: { children: ReactNode }) {
  return (
    <p className="flex items-center gap-2 text-sm font-medium">
      <TriangleAlert aria-hidden className="size-4 shrink-0" />
      {children}
    </p>
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

interface FailedProps {
  what: string;
  error: unknown;
  onRetry: () => void;
}

/** What failed, why, what to do, a retry, and the code to pass on. */
export function Failed({ what, error, onRetry }: FailedProps) {
  if (error instanceof ApiError && error.status === 403) return <Forbidden>{error.message}</Forbidden>;
  if (error instanceof ApiError && error.status === 0) return <Offline what={what} onRetry={onRetry} />;
  const { code, action } = error instanceof ApiError ? error : { code: "CLIENT_ERROR", action: "" };
  const cause = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert" className="flex flex-col items-start gap-2 p-4">
      <p className="flex items-center gap-2 font-semibold">
        <TriangleAlert aria-hidden className="size-4 shrink-0" />
        Could not load {what}
      </p>
      <p className="max-w-[72ch] text-ink-2">
        {cause} {action}
      </p>
      <p className="text-sm text-ink-2">
        Code <code className="font-mono select-all">{code}</code>
      </p>
      <Button icon={<RotateCw aria-hidden className="size-4" />} onClick={onRetry}>
        Retry
      </Button>
    </div>
  );
}

/** No connection and nothing known from before. */
export function Offline({ what, onRetry }: { what: string; onRetry: () => void }) {
  return (
    <div role="alert" className="flex flex-col items-start gap-2 p-4">
      <p className="flex items-center gap-2 font-semibold">
        <Unplug aria-hidden className="size-4 shrink-0" />
        The server does not answer
      </p>
      <p className="text-ink-2">There are no {what} from before to show. They load when it is back.</p>
      <Button icon={<RotateCw aria-hidden className="size-4" />} onClick={onRetry}>
        Retry
      </Button>
    </div>
  );
}

/** Which right is missing and who can give it. */
export function Forbidden({ children }: { children: ReactNode }) {
  return (
    <div role="alert" className="flex flex-col items-start gap-2 p-4">
      <p className="flex items-center gap-2 font-semibold">
        <Lock aria-hidden className="size-4 shrink-0" />
        You may not see this
      </p>
      <p className="max-w-[72ch] text-ink-2">{children} An administrator can change your role.</p>
    </div>
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
