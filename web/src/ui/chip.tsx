import { clsx } from "clsx";
import type { ReactNode } from "react";
import type { Origin } from "@/api/models";

/** A small label. Hatched ones speak of money or prices that are not real. */
export function Chip({
  children,
  hatched = false,
  title,
}: {
  children: ReactNode;
  hatched?: boolean;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={clsx(
        "inline-flex items-center gap-1 rounded-sm border border-line-2 px-1.5 text-xs leading-5 font-medium text-ink-2",
        "whitespace-nowrap",
        hatched && "hatched",
      )}
    >
      {children}
    </span>
  );
}

const ORIGINS: Record<Exclude<Origin, "live">, { word: string; meaning: string }> = {
  recorded: { word: "RECORDED", meaning: "Prices recorded from the exchange earlier and played back." },
  synthetic: {
    word: "SYNTHETIC",
    meaning: "Made-up prices. They follow no real exchange.",
  },
};

/** Where prices come from, wherever they are not live: on every figure that they touch. */
export function OriginChip({ origin }: { origin: Origin | null | undefined }) {
  if (!origin || origin === "live") return null;
  const { word, meaning } = ORIGINS[origin];
  return (
    <Chip hatched title={meaning}>
      {word}
    </Chip>
  );
}
