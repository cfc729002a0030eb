import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Platform, PlatformSummary, TradingMode } from "@/api/models";
import { platformBotsQuery, platformsQuery } from "@/api/queries";
import { BotCards } from "@/features/bots/bot-cards";
import { BotTable } from "@/features/bots/bot-table";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { buttonClass } from "@/ui/button";
import { useIsPhone } from "@/ui/media";
import { Money, Percent } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { FeedStatus } from "./feed-status";

const COLUMNS = [
  "name",
  "pair",
  "state",
  "capital",
  "realised",
  "unrealised",
  "today",
  "winRate",
  "drawdown",
  "trades",
  "actions",
] as const;

/** One platform: what it earned, and every bot there by total profit. */
export function PlatformScreen({ platform, mode }: { platform: Platform; mode: TradingMode }) {
  const summary = useQuery(platformsQuery(mode));
  const bots = useQuery(platformBotsQuery(platform, mode));
  const phone = useIsPhone();
  const one = summary.data?.platforms.find((each) => each.platform === platform);
  return (
    <>
      {one && <Figures platform={one} />}
      <Panel title="Bots here" note="by total profit">
        <Loaded query={bots} what="the bots" rows={5}>
          {(data) => {
            if (data.bots.length === 0) return <NoBots platform={platform} summary={one} mode={mode} />;
            if (phone) {
              return (
                <div className="px-3 pb-3">
                  <BotCards bots={data.bots} />
                </div>
              );
            }
            return (
              <BotTable label={`Bots on ${PLATFORM_NAMES[platform]}`} bots={data.bots} columns={COLUMNS} />
            );
          }}
        </Loaded>
      </Panel>
    </>
  );
}

function NoBots({
  platform,
  summary,
  mode,
}: {
  platform: Platform;
  summary: PlatformSummary | undefined;
  mode: TradingMode;
}) {
  if (summary && !summary.connected) return <Empty>{summary.status_message}</Empty>;
  return (
    <Empty
      action={
        <Link to="/bots" search={{ new: true }} className={buttonClass("plain")}>
          New bot
        </Link>
      }
    >
      No bot trades on {PLATFORM_NAMES[platform]} with {mode} money. One that does appears here with its
      results.
    </Empty>
  );
}

function Figures({ platform }: { platform: PlatformSummary }) {
  const items: { name: string; value: ReactNode }[] = [
    { name: "Today", value: <Money value={platform.profit_today} result /> },
    { name: "Profit, total", value: <Money value={platform.profit_total} result /> },
    { name: "Trades today", value: platform.trades_today },
    {
      name: "Won",
      value: <Percent value={platform.win_rate} places={0} reason="No trade has closed here yet." />,
    },
    {
      name: "Bots",
      value: `${platform.bots_active} of ${platform.bots_count_total} run, ${platform.bot_limit} allowed`,
    },
    { name: "Prices", value: <FeedStatus state={platform.feed_state} ageSeconds={platform.feed_age_s} /> },
  ];
  return (
    <>
      <p className="text-ink-2">{platform.status_message}</p>
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,10.5rem),1fr))] gap-3">
        {items.map(({ name, value }) => (
          <div key={name} className="panel px-3 py-2">
            <dt className="text-sm text-ink-2">{name}</dt>
            <dd className="font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
