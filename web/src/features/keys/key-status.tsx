import type { ReactNode } from "react";
import type { ApiKey } from "@/api/models";

const RING = <circle cx="8" cy="8" r="6" fill="none" />;

/** ○ ◐ ● ▲: told apart by shape, without colour. */
const SHAPES: Record<ApiKey["status"], ReactNode> = {
  not_configured: RING,
  saved_untested: (
    <>
      {RING}
      <path d="M8 2a6 6 0 0 0 0 12z" />
    </>
  ),
  test_ok: <circle cx="8" cy="8" r="6" />,
  test_failed: <path d="M8 2.5 14 13.5H2z" strokeLinejoin="round" />,
};

const WORDS: Record<ApiKey["status"], string> = {
  not_configured: "Not configured",
  saved_untested: "Saved, not tested",
  test_ok: "Works",
  test_failed: "Test failed",
};

const REASONS: Partial<Record<NonNullable<ApiKey["outcome"]>, string>> = {
  refused: "refused",
  unsafe: "unsafe",
  unreachable: "not reached",
};

/** A key's status: a shape and a word. Not set up yet is neutral, not wrong. */
export function KeyStatus({ row }: { row: ApiKey }) {
  const reason = row.status === "test_failed" && row.outcome ? REASONS[row.outcome] : undefined;
  const look = row.status === "not_configured" ? "text-ink-2" : "font-medium";
  return (
    <span className={`inline-flex items-center gap-1.5 ${look}`}>
      <svg
        aria-hidden
        viewBox="0 0 16 16"
        className="size-4 shrink-0 fill-current stroke-current"
        strokeWidth={1.5}
      >
        {SHAPES[row.status]}
      </svg>
      {reason ? `${WORDS[row.status]}: ${reason}` : WORDS[row.status]}
    </span>
  );
}
