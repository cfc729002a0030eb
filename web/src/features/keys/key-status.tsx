import { Circle, CircleDot, Disc, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ApiKey } from "@/api/models";

const LOOKS: Record<ApiKey["status"], { icon: LucideIcon; filled?: boolean; word: string }> = {
  not_configured: { icon: Circle, word: "Not configured" },
  saved_untested: { icon: CircleDot, word: "Saved, not tested" },
  test_ok: { icon: Disc, filled: true, word: "Works" },
  test_failed: { icon: TriangleAlert, word: "Test failed" },
};

const REASONS: Partial<Record<NonNullable<ApiKey["outcome"]>, string>> = {
  refused: "refused",
  unsafe: "unsafe",
  unreachable: "not reached",
};

/** A key's status: a shape and a word, no colour. Not set up yet is neutral, not wrong. */
export function KeyStatus({ row }: { row: ApiKey }) {
  const { icon: Icon, filled, word } = LOOKS[row.status];
  const reason = row.status === "test_failed" && row.outcome ? REASONS[row.outcome] : undefined;
  const quiet = row.status === "not_configured";
  return (
    <span
      className={
        quiet ? "inline-flex items-center gap-1.5 text-ink-2" : "inline-flex items-center gap-1.5 font-medium"
      }
    >
      <Icon aria-hidden className="size-4 shrink-0" fill={filled ? "currentColor" : "none"} />
      {reason ? `${word}: ${reason}` : word}
    </span>
  );
}
