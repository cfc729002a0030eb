import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import type { Benchmark, Range, TradingMode } from "@/api/models";
import { benchmarkQuery, equityQuery } from "@/api/queries";
import { EquityChart } from "@/features/charts/equity-chart";
import { Button } from "@/ui/button";
import { OriginChip } from "@/ui/chip";
import { Percent } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { RangeFilter } from "@/ui/range-filter";
import { Failed } from "@/ui/state";
import { Unknown } from "@/ui/unknown";

interface EquityPanelProps {
  mode: TradingMode;
  range: Range;
  onRange: (range: Range) => void;
  benchmark: boolean;
  onBenchmark: (on: boolean) => void;
}

export default function EquityPanel({ mode, range, onRange, benchmark, onBenchmark }: EquityPanelProps) {
  const query = useQuery(equityQuery(mode, range));
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
      {benchmark && <BenchmarkNote query={held} />}
      <EquityChart
        query={query}
        height={220}
        subject={`All ${mode} bots`}
        benchmark={benchmark ? held.data : undefined}
        empty={`The curve begins with the first two points of a ${mode} bot's equity.`}
      />
    </Panel>
  );
}

/** What the dashed line is, and how it did; why there is none when its prices are missing. */
function BenchmarkNote({ query }: { query: UseQueryResult<Benchmark> }) {
  if (query.error)
    return <Failed what="the benchmark" error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <p className="px-4 pb-1 text-sm text-ink-2">Loading the benchmark…</p>;
  const { reason, change_percent, instrument_id, origin } = query.data;
  if (reason) {
    return (
      <p className="px-4 pb-1 text-sm text-ink-2">
        Held as bitcoin: <Unknown reason={reason} /> {reason}.
      </p>
    );
  }
  return (
    <p className="flex flex-wrap items-center gap-x-2 px-4 pb-1 text-sm text-ink-2">
      <span>
        Dashed: the same money held as bitcoin ({instrument_id}), later deposits included,{" "}
        <Percent value={change_percent} result />
      </span>
      <OriginChip origin={origin} />
    </p>
  );
}
