import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { ReactNode } from "react";
import type { Bot, ProfitSummary, TradingMode } from "@/api/models";
import { botsQuery, profitSummaryQuery } from "@/api/queries";
import { useZone } from "@/fmt/prefs";
import { startOfDay } from "@/fmt/time";
import { Ago, useServerNow } from "@/ui/age";
import { OriginChip } from "@/ui/chip";
import { Failed, Partial } from "@/ui/failed";
import { Money, Percent } from "@/ui/money";

interface FigureProps {
  name: string;
  link: LinkProps;
  opens: string;
  note: ReactNode;
  /** Not settled: it changes with every price. */
  unsettled?: boolean;
  origin: ReactNode;
  children: ReactNode;
}

/** A headline figure. It is a link: every sum opens to the rows it is made of. */
function Figure({ name, link, opens, note, unsettled = false, origin, children }: FigureProps) {
  return (
    <div
      className={clsx(
        "panel relative flex flex-col gap-0.5 px-4 py-3 hover:bg-s2",
        unsettled && "hatched border-dashed! border-line-2!",
      )}
    >
      <p className="flex flex-wrap items-center gap-x-2 text-ink-2">
        <Link
          {...link}
          className="after:absolute after:inset-0 after:rounded-md"
          aria-label={`${name}: ${opens}`}
        >
          {name}
        </Link>
        {origin}
      </p>
      <p className="text-xl font-semibold sm:text-2xl">{children}</p>
      <div className="text-sm text-ink-2">{note}</div>
    </div>
  );
}

function originsOf(bots: Bot[] | undefined): ReactNode {
  const origins = new Set(bots?.map((bot) => bot.origin));
  if (origins.has("synthetic")) return <OriginChip origin="synthetic" />;
  return origins.has("recorded") ? <OriginChip origin="recorded" /> : null;
}

function Placeholder({ name }: { name: string }) {
  return (
    <div className="panel flex min-h-26 flex-col gap-2 px-4 py-3">
      <p className="text-ink-2">{name}</p>
      <div className="skeleton h-8 w-40" role="status" aria-label={`Loading ${name}`} />
    </div>
  );
}

const GRID = "grid grid-cols-[repeat(auto-fit,minmax(min(100%,15.5rem),1fr))] gap-3";
const NAMES = ["Realised today", "Unrealised now", "Realised, all time", "Equity"];

/** Realised today, unrealised now, realised in all, equity: always apart, never one sum. */
export function Figures({ mode }: { mode: TradingMode }) {
  const query = useQuery(profitSummaryQuery(mode));
  const { data: bots } = useQuery(botsQuery);
  if (query.data) return <Known summary={query.data} mode={mode} bots={bots} />;
  if (query.error) {
    return (
      <div className="panel">
        <Failed what="the profit figures" error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  return (
    <div className={GRID}>
      {NAMES.map((name) => (
        <Placeholder key={name} name={name} />
      ))}
    </div>
  );
}

function Known({
  summary,
  mode,
  bots,
}: {
  summary: ProfitSummary;
  mode: TradingMode;
  bots: Bot[] | undefined;
}) {
  const zone = useZone();
  const since = startOfDay(useServerNow(), zone);
  const open = bots?.filter((bot) => bot.position !== null).length;
  const origin = originsOf(bots);
  return (
    <div className={GRID}>
      <Figure
        name="Realised today"
        link={{ to: "/trades", search: { mode, status: "closed", since } }}
        opens="open today's closed trades"
        origin={origin}
        note={
          <>
            yesterday <Money value={summary.profit_yesterday} result arrow={false} />
          </>
        }
      >
        <Money value={summary.profit_today} result />
      </Figure>
      <Figure
        name="Unrealised now"
        link={{ to: "/trades", search: { mode, status: "open" } }}
        opens="open the positions"
        unsettled
        origin={origin}
        note={
          summary.marked_at ? (
            <>
              {open !== undefined && `${open} open ${open === 1 ? "position" : "positions"}, `}marked{" "}
              <Ago at={summary.marked_at} />
            </>
          ) : (
            "no open position"
          )
        }
      >
        <Money value={summary.unrealized_profit} result reason={summary.unrealized_reason} />
      </Figure>
      <Figure
        name="Realised, all time"
        link={{ to: "/profits", search: { mode } }}
        opens="open the profits"
        origin={origin}
        note={
          <>
            {summary.realized_reason && <Partial>{summary.realized_reason}</Partial>}
            after fees of <Money value={summary.total_fees} />; {summary.total_trades} trades, won{" "}
            <Percent value={summary.win_rate} places={0} reason="No trade has closed yet." />
          </>
        }
      >
        <Money value={summary.realized_profit} result />
      </Figure>
      <Figure
        name="Equity"
        link={{ to: "/profits", search: { mode }, hash: "waterfall" }}
        opens="open how it adds up"
        origin={origin}
        note={
          <>
            from deposits of <Money value={summary.deposits} />
          </>
        }
      >
        <Money value={summary.equity} reason={summary.equity_reason} />
      </Figure>
    </div>
  );
}
