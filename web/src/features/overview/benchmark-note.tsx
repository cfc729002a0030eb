import type { UseQueryResult } from "@tanstack/react-query";
import type { Benchmark } from "@/api/models";
import { OriginChip } from "@/ui/chip";
import { Failed } from "@/ui/failed";
import { Percent } from "@/ui/money";
import { Unknown } from "@/ui/unknown";

/** What the dashed line is, and how it did; why there is none when its prices are missing. */
export default function BenchmarkNote({ query }: { query: UseQueryResult<Benchmark> }) {
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
