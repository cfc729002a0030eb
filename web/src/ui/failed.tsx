/** What a figure or a panel says when it is incomplete or could not be had. The frame needs it from the start. */
import { Lock, RotateCw, TriangleAlert, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { Button } from "./button";

/** The figure is there but incomplete, and this is what is missing. */
export function Partial({ children }: { children: ReactNode }) {
  return (
    <p className="flex items-center gap-2 text-sm font-medium">
      <TriangleAlert aria-hidden className="size-4 shrink-0" />
      {children}
    </p>
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
