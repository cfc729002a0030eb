import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { ProfitSummary } from "@/api/models";
import { equityQuery, profitSummaryQuery } from "@/api/queries";
import { EquityChart } from "@/features/charts/equity-chart";
import { isPlainKey } from "@/features/frame/shortcuts";
import { useCurrentMode } from "@/features/frame/use-mode";
import { formatCalendarDate } from "@/fmt/time";
import { PERIODS, type ProfitsSearch } from "@/routes/_app.profits";
import { Button } from "@/ui/button";
import { Partial } from "@/ui/failed";
import { ModeFilter } from "@/ui/mode-filter";
import { Money, Percent } from "@/ui/money";
import { PageHead, Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { Unknown } from "@/ui/unknown";
import { Falls } from "./falls";
import { ProfitBars } from "./profit-bars";
import { SpanReport } from "./span-report";
import { Waterfall } from "./waterfall";

interface ProfitsScreenProps {
  search: ProfitsSearch;
  onSearch: (search: ProfitsSearch) => void;
}

/** How much, since when, from what, after fees. */
export function ProfitsScreen({ search, onSearch }: ProfitsScreenProps) {
  const current = useCurrentMode();
  const mode = search.mode ?? current;
  const other = mode === "paper" ? "live" : "paper";
  const summary = useQuery(profitSummaryQuery(mode));
  const equity = useQuery(equityQuery(mode, "all"));
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!isPlainKey(event)) return;
      if (event.key === "m") onSearch({ ...search, mode: other });
      if (event.key === "d") {
        const at = PERIODS.indexOf(search.period ?? "daily");
        onSearch({ ...search, period: PERIODS[(at + 1) % PERIODS.length] ?? "daily" });
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
  return (
    <>
      <PageHead
        title="Profits"
        note="Realised and unrealised are never one sum. All figures in rand, after fees."
        actions={<ModeFilter mode={mode} onChange={(next) => onSearch({ ...search, mode: next })} />}
      />
      <Loaded query={summary} what="the profit figures" rows={4}>
        {(data) =>
          data.total_trades === 0 &&
          data.unrealized_profit === null &&
          data.by_bot.length === 0 &&
          mode === "live" ? (
            <div className="panel">
              <Empty
                action={<Button onClick={() => onSearch({ ...search, mode: "paper" })}>Show paper</Button>}
              >
                No live trades. Nothing has traded with real money here.
              </Empty>
            </div>
          ) : (
            <>
              {data.realized_reason && <Partial>{data.realized_reason}</Partial>}
              <Headline summary={data} />
              <ProfitBars
                mode={mode}
                period={search.period ?? "daily"}
                onPeriod={(period) => onSearch({ ...search, period })}
              />
              <div className="grid items-start gap-4 xl:grid-cols-2">
                <Waterfall summary={data} />
                <Panel title="Equity over all time" note="its five deepest falls are shaded">
                  <EquityChart
                    query={equity}
                    height={232}
                    subject={`All ${mode} bots`}
                    empty="The curve begins with the first two points of equity."
                    falls
                  />
                  {equity.data && <Falls drawdowns={equity.data.drawdowns} />}
                </Panel>
              </div>
              <SpanReport
                span={search.span ?? "last_30_days"}
                mode={mode}
                onSpan={(span) => onSearch({ ...search, span })}
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

function Headline({ summary }: { summary: ProfitSummary }) {
  const items = [
    { name: "Realised, all time", value: <Money value={summary.realized_profit} result /> },
    {
      name: "Unrealised now",
      value: <Money value={summary.unrealized_profit} result reason={summary.unrealized_reason} />,
      unsettled: true,
    },
    { name: "Today", value: <Money value={summary.profit_today} result /> },
    { name: "Yesterday", value: <Money value={summary.profit_yesterday} result /> },
    {
      name: "A day, on average",
      value: <Money value={summary.avg_daily} result reason="No trade has closed yet." />,
    },
    {
      name: summary.best_day ? `Best day, ${formatCalendarDate(summary.best_day.date)}` : "Best day",
      value: summary.best_day ? (
        <Money value={summary.best_day.profit} result />
      ) : (
        <Unknown reason="No trade has closed yet." />
      ),
    },
    { name: "Fees paid", value: <Money value={summary.total_fees} /> },
    {
      name: `Won (${summary.winning_trades} of ${summary.total_trades})`,
      value: <Percent value={summary.win_rate} places={0} reason="No trade has closed yet." />,
    },
  ];
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,9.5rem),1fr))] gap-3 lg:grid-cols-[repeat(auto-fit,minmax(15rem,1fr))]">
      {items.map(({ name, value, unsettled }) => (
        <div
          key={name}
          className={
            unsettled ? "panel hatched border-dashed! border-line-2! px-4 py-2.5" : "panel px-4 py-2.5"
          }
        >
          <dt className="text-sm text-ink-2">{name}</dt>
          <dd className="text-xl font-semibold">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
