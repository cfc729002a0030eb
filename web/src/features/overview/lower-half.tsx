import type { TradingMode } from "@/api/models";
import { PlatformStrip } from "@/features/platforms/platform-strip";
import { ActivityPanel } from "./activity-panel";
import { AttentionPanel } from "./attention-panel";
import { BotsPanel } from "./bots-panel";

/** What is under the figures; loaded after the figures, so that those are there sooner. */
export default function LowerHalf({ mode }: { mode: TradingMode }) {
  return (
    <>
      <PlatformStrip mode={mode} />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <BotsPanel mode={mode} />
        <div className="flex min-w-0 flex-col gap-4">
          <AttentionPanel />
          <ActivityPanel />
        </div>
      </div>
    </>
  );
}
