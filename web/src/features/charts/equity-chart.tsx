import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Benchmark, EquitySeries } from "@/api/models";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { Empty, Loaded } from "@/ui/state";
import { Chart } from "./chart";
import { ascending, type Row, type Series, seconds } from "./series";

type EquityPoint = EquitySeries["items"][number];

interface EquityLook {
  height: number;
  /** What the equity is of: "All paper bots", "ZAR trend 1". */
  subject: string;
  /** Drawn beside it as a dashed line, where it is known. */
  benchmark?: Benchmark | undefined;
  /** Shades the deepest falls. */
  falls?: boolean;
}

interface EquityChartProps extends EquityLook {
  query: UseQueryResult<EquitySeries>;
  empty: string;
  /** The figure beside the curve, so that the curve ends where the figure stands. */
  now?: EquityPoint | undefined;
}

/** Equity against its start of the range: above in the gain's colour, below in the loss's. */
export function EquityChart({ query, empty, now, ...look }: EquityChartProps) {
  return (
    <Loaded query={query} what="the equity curve" height={look.height}>
      {(data) => {
        const items = curve(data.items, now);
        return items.length < 2 ? (
          <Empty>{empty}</Empty>
        ) : (
          <EquityDrawing data={data} items={items} {...look} />
        );
      }}
    </Loaded>
  );
}

/**
 * The points to draw: from the first at which anything was at stake, for a first deposit is no gain,
 * to the figure of now where that is newer than the last snapshot.
 */
export function curve(items: EquityPoint[], now?: EquityPoint): EquityPoint[] {
  const first = items.findIndex((item) => item.drawdown_percent !== null);
  const known = first < 0 ? [] : items.slice(first);
  const last = known.at(-1);
  return now && last && Date.parse(now.at) > Date.parse(last.at) ? [...known, now] : known;
}

/** The times of the curve that lie within one of its deepest falls. */
export function fallen(times: number[], drawdowns: EquitySeries["drawdowns"]): number[] {
  const spans = drawdowns.map(({ peak_at, recovered_at }) => ({
    from: seconds(peak_at),
    to: recovered_at ? seconds(recovered_at) : Number.POSITIVE_INFINITY,
  }));
  return times.filter((time) => spans.some(({ from, to }) => time >= from && time <= to));
}

function EquityDrawing({
  data,
  items,
  height,
  subject,
  benchmark,
  falls = false,
}: EquityLook & { data: EquitySeries; items: EquityPoint[] }) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const drawn = useMemo(() => {
    const text = (value: string | null | undefined) =>
      hidden ? "hidden" : value == null ? "unknown" : formatMoney(value, { currency: data.currency, style });
    const points = ascending(items.map((item) => ({ ...item, time: seconds(item.at) })));
    const held = ascending(
      (benchmark?.items ?? []).map(({ at, equity }) => ({
        time: seconds(at),
        value: Number(equity),
        equity,
      })),
    );
    const heldAt = new Map(held.map(({ time, equity }) => [time, equity]));
    const values = points.map(({ time, equity }) => ({ time, value: Number(equity) }));
    const rows: Row[] = points.map((point, i) => ({
      time: point.time,
      value: values[i]?.value ?? 0,
      cells: [
        text(point.equity),
        text(point.realized_profit),
        text(point.unrealized_profit),
        ...(held.length > 0 ? [text(heldAt.get(point.time))] : []),
      ],
    }));
    const times = points.map(({ time }) => time);
    const series: Series[] = [
      ...(falls ? [{ kind: "shade" as const, times: fallen(times, data.drawdowns) }] : []),
      { kind: "baseline", base: values[0]?.value ?? 0, data: values },
      ...(held.length > 0 ? [{ kind: "line" as const, data: held, dashed: true }] : []),
    ];
    const against = held.length > 0 ? ` Held as bitcoin it would be ${text(held.at(-1)?.equity)}.` : "";
    const label = `${subject}: equity from ${text(points[0]?.equity)} to ${text(points.at(-1)?.equity)} over ${points.length} points.${against}`;
    const heads = ["Equity", "Realised", "Unrealised", ...(held.length > 0 ? ["Held as bitcoin"] : [])];
    return { series, rows, label, heads };
  }, [data, items, benchmark, falls, style, hidden, subject]);
  return <Chart name="equity" height={height} {...drawn} />;
}
