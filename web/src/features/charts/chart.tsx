import { Table2 } from "lucide-react";
import { type KeyboardEvent, lazy, Suspense, useMemo, useState } from "react";
import { axisRand } from "@/fmt/money";
import { formatNumber } from "@/fmt/number";
import { useHidden, useNumberStyle, useZone } from "@/fmt/prefs";
import { formatClock, formatDate, formatMoment } from "@/fmt/time";
import { Button } from "@/ui/button";
import { useCrosshair } from "./crosshair";
import { type Row, rowAt, type Series } from "./series";

const ChartCanvas = lazy(() => import("./chart-canvas"));
const ChartTable = lazy(() => import("./chart-table"));

interface ChartProps {
  /** What the saved file is called after. */
  name: string;
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

async function save(name: string, heads: string[], rows: Row[]): Promise<void> {
  const { chartCsv, saveCsv } = await import("./chart-csv");
  saveCsv(`amarktai-${name}.csv`, chartCsv(heads, rows));
}

/** A chart for everyone: a sentence, the picture, the arrow keys, and the same figures as a table. */
export function Chart({
  name,
  label,
  series,
  heads,
  rows,
  height,
  axis = "rand",
  daily = false,
}: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const [spoken, setSpoken] = useState(false);
  const [time, setTime] = useCrosshair();
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
  const cursor = time === null ? null : rowAt(rows, time);
  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === "Escape") setTime(null);
    if (step === undefined || rows.length === 0) return;
    event.preventDefault();
    setSpoken(true);
    const now = cursor ? rows.indexOf(cursor) : rows.length - (step < 0 ? 0 : 1);
    setTime(rows[Math.min(rows.length - 1, Math.max(0, now + step))]?.time ?? null);
  };
  const leave = () => {
    setSpoken(false);
    setTime(null);
  };
  return (
    <div className="px-4 pb-3">
      {asTable ? (
        <Suspense fallback={<div className="skeleton" style={{ height }} />}>
          <ChartTable label={label} heads={heads} rows={rows} height={height} formatTime={formats.time} />
        </Suspense>
      ) : (
        // biome-ignore-start lint/a11y: a picture that the arrow keys read; no form element says that.
        <div
          role="group"
          aria-roledescription="chart"
          aria-label={`${label} Arrow keys read it point by point.`}
          tabIndex={0}
          onKeyDown={press}
          onBlur={leave}
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
              onPoint={setTime}
            />
          </Suspense>
        </div>
        // biome-ignore-end lint/a11y: a picture that the arrow keys read; no form element says that.
      )}
      <div className="mt-1 flex min-h-7 flex-wrap items-center justify-between gap-2 text-sm text-ink-2">
        {/* The keys speak; a pointer that passes over a thousand bars does not. */}
        <p aria-live={spoken ? "polite" : "off"}>
          {cursor &&
            `${formats.time(cursor.time)}: ${cursor.cells.map((cell, i) => `${heads[i]} ${cell}`).join(", ")}`}
        </p>
        <span className="ml-auto flex flex-wrap">
          <Button
            look="quiet"
            className="min-h-7! px-2 text-sm"
            icon={<Table2 aria-hidden className="size-3.5" />}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? "Show as chart" : "Show as table"}
          </Button>
          <Button
            look="quiet"
            className="min-h-7! px-2 text-sm"
            disabledReason={hidden ? "Amounts are hidden; press h to show them." : null}
            onClick={() => void save(name, heads, rows)}
          >
            Save as CSV
          </Button>
        </span>
      </div>
    </div>
  );
}
