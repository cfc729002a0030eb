import { Table2 } from "lucide-react";
import { type KeyboardEvent, lazy, Suspense, useMemo, useState } from "react";
import { axisRand } from "@/fmt/money";
import { formatNumber } from "@/fmt/number";
import { useHidden, useNumberStyle, useZone } from "@/fmt/prefs";
import { formatClock, formatDate, formatMoment } from "@/fmt/time";
import { Button } from "@/ui/button";
import { ChartTable } from "./chart-table";
import type { Row, Series } from "./series";

const ChartCanvas = lazy(() => import("./chart-canvas"));

interface ChartProps {
  /** One sentence that says what the picture shows; the chart's accessible name. */
  label: string;
  series: Series[];
  /** Column heads and rows of the table; the arrow keys speak the same rows. */
  heads: string[];
  rows: Row[];
  height: number;
  /** How the axis writes values: rand in short, or a price with this many places. */
  axis?: { places: number } | "rand" | "percent";
  /** Bars are whole days, so that the axis needs no time of day. */
  daily?: boolean;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

/** A chart for everyone: a sentence, the picture, the arrow keys, and the same figures as a table. */
export function Chart({ label, series, heads, rows, height, axis = "rand", daily = false }: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const [index, setIndex] = useState<number | null>(null);
  const style = useNumberStyle();
  const hidden = useHidden();
  const zone = useZone();
  const formats = useMemo(() => {
    const figures = rows.map(({ value }) => value);
    const values = Math.max(...figures) - Math.min(...figures);
    const value = (figure: number) => {
      if (axis === "rand") return hidden ? "•••" : axisRand(figure, values, style);
      const places = axis === "percent" ? 2 : axis.places;
      const text = formatNumber(figure.toFixed(places), { minPlaces: places, maxPlaces: places, style });
      return axis === "percent" ? `${text} %` : text;
    };
    const time = (seconds: number) =>
      daily ? formatDate(seconds * 1000, "UTC") : formatMoment(seconds * 1000, zone);
    const span = ((rows.at(-1)?.time ?? 0) - (rows[0]?.time ?? 0)) / 86_400;
    const tick = (seconds: number) =>
      !daily && span < 2
        ? formatClock(seconds * 1000, zone).slice(0, 5)
        : formatDate(seconds * 1000, daily ? "UTC" : zone).replace(/ \d{4}$/, "");
    return { value, time, tick };
  }, [axis, style, hidden, zone, daily, rows]);
  const cursor = index === null ? null : (rows[index] ?? null);
  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === "Escape") setIndex(null);
    if (step === undefined || rows.length === 0) return;
    event.preventDefault();
    setIndex((now) =>
      Math.min(rows.length - 1, Math.max(0, (now ?? rows.length - (step < 0 ? 0 : 1)) + step)),
    );
  };
  return (
    <div className="px-4 pb-3">
      {asTable ? (
        <ChartTable label={label} heads={heads} rows={rows} height={height} formatTime={formats.time} />
      ) : (
        // biome-ignore-start lint/a11y: a picture that the arrow keys read; no form element says that.
        <div
          role="group"
          aria-roledescription="chart"
          aria-label={`${label} Arrow keys read it point by point.`}
          tabIndex={0}
          onKeyDown={press}
          onBlur={() => setIndex(null)}
          className="relative rounded-sm"
          style={{ height }}
        >
          <Suspense fallback={<div className="skeleton h-full" />}>
            <ChartCanvas
              series={series}
              cursor={cursor}
              formatValue={formats.value}
              formatTime={formats.time}
              formatTick={formats.tick}
            />
          </Suspense>
        </div>
        // biome-ignore-end lint/a11y: a picture that the arrow keys read; no form element says that.
      )}
      <div className="mt-1 flex min-h-7 flex-wrap items-center justify-between gap-2 text-sm text-ink-2">
        <p aria-live="polite">
          {cursor &&
            `${formats.time(cursor.time)}: ${cursor.cells.map((cell, i) => `${heads[i]} ${cell}`).join(", ")}`}
        </p>
        <Button
          look="quiet"
          className="min-h-7! px-2 text-sm"
          icon={<Table2 aria-hidden className="size-3.5" />}
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? "Show as chart" : "Show as table"}
        </Button>
      </div>
    </div>
  );
}
