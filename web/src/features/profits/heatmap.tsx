import { Link } from "@tanstack/react-router";
import type { ProfitReport, TradingMode } from "@/api/models";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle, useZone } from "@/fmt/prefs";
import { formatCalendarDate, startOfCalendarDay } from "@/fmt/time";
import { ScrollRegion } from "@/ui/scroll-region";
import { type Cell, cellsOf, monthsOf, yearsOf } from "./calendar";

const SIZE = 13;
const STEP = SIZE + 3;
const LEFT = 34;
const TOP = 18;

interface HeatmapProps {
  report: ProfitReport;
  mode: TradingMode;
}

/** Days as a calendar, a column a week: filled deeper the more was realised, losses marked with a minus. */
export function Heatmap({ report, mode }: HeatmapProps) {
  const cells = cellsOf(report);
  return (
    <ScrollRegion label="Calendar of realised profit" className="px-4 pb-3">
      {yearsOf(cells).map(({ year, days }) => (
        <Year key={year} year={year} days={days} mode={mode} />
      ))}
      <p className="text-sm text-ink-2">
        The deeper the colour, the larger the result; a minus marks a loss, an empty square a day without
        fills. A day opens its trades.
      </p>
    </ScrollRegion>
  );
}

function Year({ year, days, mode }: { year: number; days: Cell[]; mode: TradingMode }) {
  const columns = Math.max(...days.map(({ week }) => week)) + 1;
  return (
    <figure aria-label={String(year)}>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: its links carry the words; a title would hide them. */}
      <svg width={LEFT + Math.max(columns, 2) * STEP} height={TOP + 7 * STEP + 6} className="block">
        {monthsOf(days).map(({ name, week }) => (
          <text key={name} x={LEFT + week * STEP} y={11} className="fill-ink-2 text-xs">
            {name}
          </text>
        ))}
        <text x={0} y={TOP + STEP - 4} className="fill-ink-2 text-xs">
          {year}
        </text>
        {days.map((cell) => (
          <Day key={cell.date} cell={cell} mode={mode} />
        ))}
      </svg>
    </figure>
  );
}

function Day({ cell, mode }: { cell: Cell; mode: TradingMode }) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const zone = useZone();
  const x = LEFT + cell.week * STEP;
  const y = TOP + cell.weekday * STEP;
  const square = { x: x + 0.5, y: y + 0.5, width: SIZE, height: SIZE, rx: 3 };
  if (cell.profit === null) return <rect {...square} className="fill-transparent stroke-line" />;
  const amount = hidden ? "hidden" : formatMoney(cell.profit, { sign: "always", style });
  const name = `${formatCalendarDate(cell.date)}: ${amount}, ${cell.trades} ${cell.trades === 1 ? "trade" : "trades"}`;
  const loss = cell.strength < 0;
  const search = {
    mode,
    status: "closed" as const,
    sort: "-closed_at",
    since: startOfCalendarDay(cell.date, zone),
    until: startOfCalendarDay(cell.nextDate, zone),
  };
  return (
    <Link to="/trades" search={search} aria-label={name}>
      <title>{name}</title>
      <rect
        {...square}
        className={cell.strength === 0 ? "fill-s3 stroke-line-2" : loss ? "fill-loss" : "fill-gain"}
        fillOpacity={cell.strength === 0 ? 1 : 0.25 + 0.75 * Math.abs(cell.strength)}
      />
      {loss && <path d={`M${x + 4} ${y + 7}h6`} className="stroke-ink" strokeWidth={1.5} />}
    </Link>
  );
}
