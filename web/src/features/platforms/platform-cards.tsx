import { Link } from "@tanstack/react-router";
import type { PlatformSummary, TradingMode } from "@/api/models";
import { OriginChip } from "@/ui/chip";
import { Money, Percent } from "@/ui/money";
import { FeedStatus } from "./feed-status";

interface PlatformCardsProps {
  platforms: PlatformSummary[];
  mode: TradingMode;
  /** The strip on the overview shows the essentials; the platforms screen shows all. */
  full?: boolean;
}

/** The five platforms, each for itself: a dead one greys no other. */
export function PlatformCards({ platforms, mode, full = false }: PlatformCardsProps) {
  return (
    <ul className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,10rem),1fr))] gap-3">
      {platforms.map((platform) => (
        <li
          key={platform.platform}
          className="panel relative flex min-w-0 flex-col gap-0.5 px-3 py-2.5 hover:bg-s2"
        >
          <p className="flex flex-wrap items-baseline justify-between gap-x-2">
            <Link
              to="/platforms/$platform"
              params={{ platform: platform.platform }}
              search={{ mode }}
              className="font-semibold after:absolute after:inset-0"
            >
              {platform.display_name}
            </Link>
            <span className="text-sm text-ink-2">
              {platform.bots_active}/{platform.bots_count_total} bots
            </span>
          </p>
          {platform.connected ? (
            <Connected platform={platform} full={full} />
          ) : (
            <p className="text-sm text-ink-2">
              {platform.status_message} {/* Above the card's own link, which covers the whole card. */}
              <Link to="/keys" search={{ provider: platform.platform }} className="link relative">
                API key
              </Link>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function Connected({ platform, full }: { platform: PlatformSummary; full: boolean }) {
  return (
    <>
      <p className="text-lg font-semibold">
        <Money value={platform.profit_today} result />
        <span className="ml-1.5 text-sm font-normal text-ink-2">today</span>
      </p>
      {full && (
        <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 text-sm *:odd:text-ink-2 *:even:text-right">
          <dt>Profit, total</dt>
          <dd>
            <Money value={platform.profit_total} result />
          </dd>
          <dt>Trades today</dt>
          <dd>{platform.trades_today}</dd>
          <dt>Bots allowed</dt>
          <dd>{platform.bot_limit}</dd>
        </dl>
      )}
      <p className="flex flex-wrap items-center justify-between gap-x-2 text-sm text-ink-2">
        <span>
          won <Percent value={platform.win_rate} places={0} reason="No trade has closed here yet." />
        </span>
        <OriginChip origin={platform.origin} />
      </p>
      <p className="text-sm text-ink-2">
        <FeedStatus state={platform.feed_state} ageSeconds={platform.feed_age_s} />
      </p>
    </>
  );
}
