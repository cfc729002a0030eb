import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Candles } from "@/api/models";
import { candlesQuery } from "@/api/queries";
import { formatNumber } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";
import { OriginChip } from "@/ui/chip";
import { Partial } from "@/ui/failed";
import { Empty, Loaded } from "@/ui/state";
import { Chart } from "./chart";
import { ascending, type Level, type Marker, type Row, type Series, seconds } from "./series";

interface CandleChartProps {
  instrumentId: string;
  timeframe: string;
  /** Decimal places of the market's tick. */
  places: number;
  height: number;
  markers: Marker[];
  levels: Level[];
}

/** A marker belongs to the last bar that opened before it. Those before the first bar are not drawn. */
export function snap(markers: Marker[], times: number[]): Marker[] {
  return markers.flatMap((marker) => {
    const at = times.findLast((time) => time <= marker.time);
    return at === undefined ? [] : [{ ...marker, time: at }];
  });
}

export function CandleChart(props: CandleChartProps) {
  const query = useQuery(candlesQuery(props.instrumentId, props.timeframe));
  return (
    <Loaded query={query} what="the candles" height={props.height}>
      {(data) =>
        data.items.length === 0 ? (
          <Empty>
            No {data.timeframe} bar of this market is known yet. They appear as its feed delivers them.
          </Empty>
        ) : (
          <>
            {/* Of the bars themselves: a bot of one market can be looked at while the other one runs. */}
            <div className="flex flex-wrap items-center gap-3 px-4 pb-1 empty:hidden">
              <OriginChip origin={data.origin} />
              {data.gaps > 0 && (
                <Partial>
                  {data.gaps === 1 ? "1 bar is missing" : `${data.gaps} bars are missing`} in this range.
                </Partial>
              )}
            </div>
            <CandleDrawing data={data} {...props} />
          </>
        )
      }
    </Loaded>
  );
}

function CandleDrawing({ data, places, height, markers, levels }: CandleChartProps & { data: Candles }) {
  const style = useNumberStyle();
  const { series, rows, label } = useMemo(() => {
    const bars = ascending(data.items.map(({ ts_open, ...bar }) => ({ time: seconds(ts_open), ...bar })));
    const text = (value: number) =>
      formatNumber(value.toFixed(places), { minPlaces: places, maxPlaces: places, style });
    const volume = (value: number) => formatNumber(value.toFixed(8), { minPlaces: 0, maxPlaces: 8, style });
    const rows: Row[] = bars.map((bar) => ({
      time: bar.time,
      value: bar.close,
      cells: [text(bar.open), text(bar.high), text(bar.low), text(bar.close), volume(bar.volume)],
    }));
    const drawn = snap(
      markers,
      bars.map(({ time }) => time),
    );
    const series: Series[] = [{ kind: "candles", data: bars, markers: drawn, levels }];
    const last = bars.at(-1);
    const label = `${data.instrument_id}, ${bars.length} bars of ${data.timeframe}, last close ${last ? text(last.close) : "unknown"}, ${drawn.length} fills drawn in.`;
    return { series, rows, label };
  }, [data, places, style, markers, levels]);
  return (
    <Chart
      name={`${data.instrument_id.replace(/\W/g, "-")}-${data.timeframe}`}
      label={label}
      series={series}
      heads={["Open", "High", "Low", "Close", "Volume"]}
      rows={rows}
      height={height}
      axis={{ places }}
    />
  );
}
