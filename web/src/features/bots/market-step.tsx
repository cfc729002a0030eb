import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Instrument, Platform } from "@/api/models";
import { instrumentsQuery, platformsQuery } from "@/api/queries";
import { FeedStatus } from "@/features/platforms/feed-status";
import { OriginChip } from "@/ui/chip";
import { Percent, Quantity } from "@/ui/money";
import { PLATFORMS } from "@/ui/search-params";
import { Segmented } from "@/ui/segmented";
import { Empty, Loaded } from "@/ui/state";
import type { StepProps } from "./draft";
import { PLATFORM_NAMES } from "./words";

const OPTIONS = PLATFORMS.map((value) => ({ value, label: PLATFORM_NAMES[value] }));

/** Step 2: platform and pair. All five platforms are listed; those not connected say so. */
export function MarketStep({ draft, onChange }: StepProps) {
  const instruments = useQuery(instrumentsQuery);
  const { data: summary } = useQuery(platformsQuery("paper"));
  const [platform, setPlatform] = useState<Platform>(draft.market?.platform ?? "luno");
  const info = summary?.platforms.find((each) => each.platform === platform);
  return (
    <div className="flex flex-col gap-3">
      <div className="max-w-full overflow-x-auto p-0.5">
        <Segmented label="Platform" value={platform} options={OPTIONS} onChange={setPlatform} />
      </div>
      {info && (
        <p className="text-sm text-ink-2">
          {info.connected ? `${info.bots_count_total} of ${info.bot_limit} bots here.` : info.status_message}
        </p>
      )}
      <Loaded query={instruments} what="the markets" rows={6}>
        {(all) => {
          const here = all.filter((instrument) => instrument.platform === platform);
          if (here.length === 0)
            return (
              <Empty>
                {info?.status_message ?? `${PLATFORM_NAMES[platform]} has no market data here yet.`} Choose
                another platform.
              </Empty>
            );
          return (
            <fieldset className="flex flex-col">
              <legend className="sr-only">Pair</legend>
              {here.map((instrument) => (
                <MarketOption
                  key={instrument.id}
                  instrument={instrument}
                  chosen={draft.market?.id === instrument.id}
                  onChoose={() => onChange({ market: instrument })}
                />
              ))}
            </fieldset>
          );
        }}
      </Loaded>
    </div>
  );
}

interface MarketOptionProps {
  instrument: Instrument;
  chosen: boolean;
  onChoose: () => void;
}

function MarketOption({ instrument, chosen, onChoose }: MarketOptionProps) {
  const { pair, feed, origin, price, taker_fee_percent } = instrument;
  return (
    <label className="flex flex-wrap items-center gap-x-3 rounded-md border-b border-line px-2 py-2 hover:bg-s2 has-checked:bg-s3 has-focus-visible:outline-2 has-focus-visible:outline-focus">
      <input type="radio" name="market" checked={chosen} onChange={onChoose} className="size-4 accent-ink" />
      <span className="font-medium">{pair}</span>
      <OriginChip origin={origin} />
      <span className="text-sm text-ink-2">
        <FeedStatus state={feed.state} ageSeconds={feed.age_s} />
      </span>
      <span className="ml-auto text-right">
        <Quantity value={price} reason={feed.message || "No price has arrived yet."} />
        <span className="block text-xs text-ink-2">
          fee <Percent value={taker_fee_percent} />
        </span>
      </span>
    </label>
  );
}
