import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { profitBarsQuery } from "@/api/book-queries";
import type { Period, ProfitBar, TradingMode } from "@/api/models";
import { Chart } from "@/features/charts/chart";
import type { Row, Series } from "@/features/charts/series";
import { sumDecimals } from "@/fmt/decimal";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { Panel } from "@/ui/panel";
import { Segmented } from "@/ui/segmented";
import { Empty, Loaded } from "@/ui/state";
import { startOf } from "./bar-start";

const PERIODS = [
  { value: "daily", label: "Days" },
  { value: "weekly", label: "Weeks" },
  { value: "monthly", label: "Months" },
] as const;

interface ProfitBarsProps {
  mode: TradingMode;
  period: Period;
  onPeriod: (period: Period) => void;
}

/** Realised profit per day, week or month, above and below zero, with the running total. */
export function ProfitBars({ mode, period, onPeriod }: ProfitBarsProps) {
  const query = useQuery(profitBarsQuery(period, mode));
  return (
    <Panel
      title="Realised profit"
      note="bars per period, line the running total of those shown"
      actions={<Segmented label="Period" value={period} options={PERIODS} onChange={onPeriod} />}
    >
      <Loaded query={query} what="the profit bars" height={240}>
        {(bars) =>
          bars.length === 0 ? <Empty>No period has closed yet.</Empty> : <Bars bars={bars} period={period} />
        }
      </Loaded>
    </Panel>
  );
}

function Bars({ bars, period }: { bars: ProfitBar[]; period: Period }) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const { series, rows, label } = useMemo(() => {
    const text = (value: string) => (hidden ? "hidden" : formatMoney(value, { sign: "always", style }));
    const placed = bars.flatMap((bar) => {
      const time = startOf(bar);
      return time === null ? [] : [{ ...bar, time }];
    });
    const running = placed.map((_, i) => sumDecimals(placed.slice(0, i + 1).map(({ profit }) => profit)));
    const rows: Row[] = placed.map((bar, i) => ({
      time: bar.time,
      value: Number(bar.profit),
      cells: [text(bar.profit), text(running[i] ?? "0")],
    }));
    const series: Series[] = [
      { kind: "bars", data: placed.map(({ time, profit }) => ({ time, value: Number(profit) })) },
      { kind: "line", data: placed.map(({ time }, i) => ({ time, value: Number(running[i]) })) },
    ];
    const gains = placed.filter(({ profit }) => !profit.startsWith("-") && /[1-9]/.test(profit)).length;
    const losses = placed.filter(({ profit }) => profit.startsWith("-")).length;
    const label = `Realised profit, ${period}: ${gains} periods with a gain, ${losses} with a loss, ${text(running.at(-1) ?? "0")} in all.`;
    return { series, rows, label };
  }, [bars, style, hidden, period]);
  return (
    <Chart
      name={`profit-${period}`}
      label={label}
      series={series}
      heads={["Profit", "Running total"]}
      rows={rows}
      height={240}
      daily
    />
  );
}
