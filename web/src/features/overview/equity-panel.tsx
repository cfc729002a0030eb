import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { lazy, Suspense, useMemo } from "react";
import type { EquitySeries, ProfitSummary, Range, TradingMode } from "@/api/models";
import { benchmarkQuery, equityQuery, profitSummaryQuery } from "@/api/queries";
import { EquityChart } from "@/features/charts/equity-chart";
import { Button } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { RangeFilter } from "@/ui/range-filter";

const BenchmarkNote = lazy(() => import("./benchmark-note"));

interface EquityPanelProps {
  mode: TradingMode;
  range: Range;
  onRange: (range: Range) => void;
  benchmark: boolean;
  onBenchmark: (on: boolean) => void;
}

export default function EquityPanel({ mode, range, onRange, benchmark, onBenchmark }: EquityPanelProps) {
  const query = useQuery(equityQuery(mode, range));
  const { data: summary } = useQuery(profitSummaryQuery(mode));
  const now = useMemo(() => pointOf(summary), [summary]);
  const held = useQuery({ ...benchmarkQuery(mode, range), enabled: benchmark });
  return (
    <Panel
      title="Equity"
      note="against the start of the range"
      actions={
        <>
          <Button
            aria-pressed={benchmark}
            className={clsx("min-h-8! text-sm", benchmark && "bg-s3!")}
            onClick={() => onBenchmark(!benchmark)}
          >
            Against bitcoin
          </Button>
          <RangeFilter range={range} onChange={onRange} />
        </>
      }
    >
      <Suspense>{benchmark && <BenchmarkNote query={held} />}</Suspense>
      <EquityChart
        query={query}
        now={now}
        height={220}
        subject={`All ${mode} bots`}
        benchmark={benchmark ? held.data : undefined}
        empty={`The curve begins with the first two points of a ${mode} bot's equity.`}
      />
    </Panel>
  );
}

/** The headline figures as a point of the curve; none while one of them is unknown. */
function pointOf(summary: ProfitSummary | undefined): EquitySeries["items"][number] | undefined {
  if (!summary?.marked_at || summary.equity === null || summary.realized_profit === null) return undefined;
  const { marked_at: at, equity, realized_profit, unrealized_profit } = summary;
  return { at, equity, realized_profit, unrealized_profit, drawdown_percent: null };
}
