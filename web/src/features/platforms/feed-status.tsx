import { Circle, CircleAlert, CircleDot, CircleOff, CircleSlash, type LucideIcon } from "lucide-react";
import type { FeedState } from "@/api/models";
import { formatAge } from "@/fmt/time";
import { Unknown } from "@/ui/unknown";

const SHAPES: Record<FeedState, { word: string; shape: LucideIcon }> = {
  connecting: { word: "Feed connecting", shape: Circle },
  live: { word: "Feed live", shape: CircleDot },
  stale: { word: "Feed stale", shape: CircleAlert },
  unreachable: { word: "Unreachable", shape: CircleOff },
  ended: { word: "Feed ended", shape: CircleSlash },
};

/** A feed's state in shape and word, with the age of its last message as the server measured it. */
export function FeedStatus({ state, ageSeconds }: { state: FeedState | null; ageSeconds: number | null }) {
  if (state === null) return <Unknown reason="No feed runs here: no bot needs its prices." />;
  const { word, shape: Shape } = SHAPES[state];
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Shape aria-hidden className="size-3.5" />
      {word}
      {ageSeconds !== null && `, ${formatAge(ageSeconds * 1000)} old`}
    </span>
  );
}
