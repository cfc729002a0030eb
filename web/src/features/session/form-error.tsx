import { ApiError } from "@/api/client";

/** Why a form was refused, and what to do about it. */
export function FormError({ error }: { error: Error | null }) {
  if (!error) return null;
  const { action, code } = error instanceof ApiError ? error : { action: "", code: "" };
  return (
    <p role="alert" className="rounded-md border border-line-2 bg-s2 px-3 py-2">
      <strong className="font-semibold">{error.message}</strong> {action}
      {code && <code className="ml-2 font-mono text-xs text-ink-2">{code}</code>}
    </p>
  );
}
