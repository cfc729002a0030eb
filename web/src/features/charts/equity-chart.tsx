import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { EquitySeries } from "@/api/models";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { Empty, Loaded } from "@/ui/state";
import { Chart } from "./chart";
import { ascending, type Row, type Series, seconds } from "./series";

interface EquityChartProps {
  query: UseQueryResult<EquitySeries>;
  height: number;
  /** What the equity is of: "All paper bots", "ZAR trend 1". */
  subject: string;
  empty: string;
}

/** Equity against its start of the range: above in the gain's colour, below in the loss's. */
export function EquityChart({ query, height, subject, empty }: EquityChartProps) {
  return (
    <Loaded query={query} what="the equity curve" height={height}>
      {(data) =>
        data.items.length < 2 ? (
          <Empty>{empty}</Empty>
        ) : (
          <EquityDrawing data={data} height={height} subject={subject} />
        )
      }
    </Loaded>
  );
}

function EquityDrawing({ data, height, subject }: { data: EquitySeries; height: number; subject: string }) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const { series, rows, label } = useMemo(() => {
    const text = (value: string | null) =>
      hidden ? "hidden" : value === null ? "unknown" : formatMoney(value, { currency: data.currency, style });
    const points = ascending(data.items.map((item) => ({ ...item, time: seconds(item.at) })));
    const values = points.map(({ time, equity }) => ({ time, value: Number(equity) }));
    const rows: Row[] = points.map((point, i) => ({
      time: point.time,
      value: values[i]?.value ?? 0,
      cells: [text(point.equity), text(point.realized_profit), text(point.unrealized_profit)],
    }));
    const series: Series[] = [{ kind: "baseline", base: values[0]?.value ?? 0, data: values }];
    const first = points[0]?.equity ?? null;
    const last = points.at(-1)?.equity ?? null;
    const label = `${subject}: equity from ${text(first)} to ${text(last)} over ${points.length} points.`;
    return { series, rows, label };
  }, [data, style, hidden, subject]);
  return (
    <Chart
      label={label}
      series={series}
      heads={["Equity", "Realised", "Unrealised"]}
      rows={rows}
      height={height}
    />
  );
}
