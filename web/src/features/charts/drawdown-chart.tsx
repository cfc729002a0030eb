import { useMemo } from "react";
import type { EquitySeries } from "@/api/models";
import { formatNumber } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";
import { Empty } from "@/ui/state";
import { Chart } from "./chart";
import { ascending, type Row, type Series, seconds } from "./series";

interface DrawdownChartProps {
  data: EquitySeries;
  height: number;
  subject: string;
}

/** How far equity stands under its highest point so far, in percent: always at or below zero. */
export function DrawdownChart({ data, height, subject }: DrawdownChartProps) {
  const style = useNumberStyle();
  const drawn = useMemo(() => {
    const points = ascending(
      data.items.flatMap(({ at, drawdown_percent }) =>
        drawdown_percent === null ? [] : [{ time: seconds(at), value: -drawdown_percent }],
      ),
    );
    const text = (value: number) =>
      `${formatNumber(value.toFixed(2), { minPlaces: 2, maxPlaces: 2, style })} %`;
    const rows: Row[] = points.map(({ time, value }) => ({ time, value, cells: [text(value)] }));
    const series: Series[] = [{ kind: "baseline", base: 0, data: points }];
    const deepest = Math.min(0, ...points.map(({ value }) => value));
    const label = `${subject}: drawdown, at the deepest ${text(deepest)}, now ${text(points.at(-1)?.value ?? 0)}.`;
    return { series, rows, label };
  }, [data, style, subject]);
  if (drawn.rows.length < 2) return <Empty>The drawdown begins with the first two points of equity.</Empty>;
  return <Chart name="drawdown" height={height} heads={["Drawdown"]} axis="percent" {...drawn} />;
}
