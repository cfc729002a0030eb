import { useQuery } from "@tanstack/react-query";
import { Eye, EyeOff } from "lucide-react";
import type { SystemMode } from "@/api/models";
import { feedsQuery, modeQuery } from "@/api/queries";
import { toggleHidden, useHidden } from "@/fmt/prefs";
import { IconButton } from "@/ui/button";
import { OriginChip } from "@/ui/chip";
import { ConnectionStatus } from "./connection-status";
import { StopAll } from "./stop-all";

const WORDS = {
  paper: { name: "PAPER", meaning: "Orders go nowhere. Real prices." },
  autopilot: { name: "AUTOPILOT", meaning: "The platform chooses and runs its bots." },
  live: { name: "LIVE", meaning: "Bots may place real orders." },
} as const;

function meaning(mode: SystemMode | undefined): string {
  if (!mode) return "";
  if (mode.mode === "autopilot" && mode.base === "paper") return "On paper until the live gate is passed.";
  return WORDS[mode.mode].meaning;
}

/** The band that never scrolls away: which money this is about, and how to stop. */
export function ModeBand() {
  const { data } = useQuery(modeQuery);
  const { data: feeds } = useQuery(feedsQuery);
  const hidden = useHidden();
  const mode = data?.mode;
  const words = mode && WORDS[mode];
  const isLive = data?.base === "live";
  const synthetic = feeds?.some((feed) => feed.origin === "synthetic");
  const recorded = feeds?.some((feed) => feed.origin === "recorded");
  return (
    <header
      data-mode={data?.base ?? "unknown"}
      className="hatched sticky top-0 z-40 min-h-10 border-b border-line bg-s1 data-[mode=live]:border-live data-[mode=live]:bg-live data-[mode=live]:bg-none data-[mode=live]:text-on-live"
    >
      {words && <title>{`${isLive ? "LIVE" : "Paper"} · Amarktai`}</title>}
      <div className="mx-auto flex min-h-10 max-w-[1600px] flex-wrap items-center gap-2 px-2 md:gap-3 md:px-4">
        <strong className="font-semibold whitespace-nowrap" role="status">
          {words ? (
            <>
              {words.name}
              <span className="max-sm:sr-only">: {isLive ? "real money" : "simulated money"}</span>
            </>
          ) : (
            "Mode unknown"
          )}
        </strong>
        {synthetic && <OriginChip origin="synthetic" />}
        {!synthetic && recorded && <OriginChip origin="recorded" />}
        <span className="whitespace-nowrap text-ink-2 max-lg:hidden">
          {synthetic && !isLive ? "Orders go nowhere. Made-up prices." : meaning(data)}
        </span>
        <div className="ml-auto flex items-center gap-1 md:gap-2">
          <ConnectionStatus />
          <IconButton
            label={hidden ? "Show amounts (h)" : "Hide amounts (h)"}
            aria-pressed={hidden}
            onClick={toggleHidden}
            className="max-md:size-9!"
          >
            {hidden ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
          </IconButton>
          <StopAll />
        </div>
      </div>
    </header>
  );
}
