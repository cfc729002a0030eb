import {
  BaselineSeries,
  CandlestickSeries,
  type ChartOptions,
  ColorType,
  CrosshairMode,
  createChart,
  createSeriesMarkers,
  type DeepPartial,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type SeriesType,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef } from "react";
import { type ChartTheme, fade, useChartTheme } from "./chart-theme";
import type { Row, Series } from "./series";

interface ChartCanvasProps {
  series: Series[];
  cursor: Row | null;
  formatValue: (value: number) => string;
  formatTime: (time: number) => string;
  formatTick: (time: number) => string;
  /** The pointer is over this moment; null when it has left. */
  onPoint: (time: number | null) => void;
}

const at = (time: number) => time as UTCTimestamp;

function options(theme: ChartTheme, props: ChartCanvasProps): DeepPartial<ChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: theme.ink2,
      fontFamily: theme.font,
      fontSize: 12,
      // The footer credits the library instead.
      attributionLogo: false,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: theme.line } },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.08 } },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      fixLeftEdge: true,
      fixRightEdge: true,
      tickMarkFormatter: (time: number) => props.formatTick(time),
    },
    crosshair: {
      mode: CrosshairMode.Magnet,
      vertLine: { color: theme.line2, labelBackgroundColor: theme.s3 },
      horzLine: { color: theme.line2, labelBackgroundColor: theme.s3 },
    },
    localization: {
      priceFormatter: props.formatValue,
      timeFormatter: (time: number) => props.formatTime(time),
    },
    // The page scrolls with the wheel; charts are moved by dragging or with the arrow keys.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false, axisPressedMouseMove: false },
  };
}

const LEVEL_STYLE = {
  position: LineStyle.Solid,
  order: LineStyle.Dashed,
  stop: LineStyle.Dotted,
} as const;

type Drawer<K extends Series["kind"]> = (
  chart: IChartApi,
  spec: Extract<Series, { kind: K }>,
  theme: ChartTheme,
) => ISeriesApi<SeriesType>;

const draw: { [K in Series["kind"]]: Drawer<K> } = {
  baseline: (chart, { base, data }, theme) => {
    const series = chart.addSeries(BaselineSeries, {
      baseValue: { type: "price", price: base },
      topLineColor: theme.gain,
      topFillColor1: fade(theme.gain, 25),
      topFillColor2: fade(theme.gain, 2),
      bottomLineColor: theme.loss,
      bottomFillColor1: fade(theme.loss, 2),
      bottomFillColor2: fade(theme.loss, 25),
      lineWidth: 2,
    });
    series.setData(data.map(({ time, value }) => ({ time: at(time), value })));
    return series;
  },
  line: (chart, { data, dashed = false }, theme) => {
    const series = chart.addSeries(LineSeries, {
      color: dashed ? theme.ink2 : theme.ink,
      lineWidth: 2,
      lineStyle: dashed ? LineStyle.Dashed : LineStyle.Solid,
      priceLineVisible: !dashed,
    });
    series.setData(data.map(({ time, value }) => ({ time: at(time), value })));
    return series;
  },
  shade: (chart, { times }, theme) => {
    const series = chart.addSeries(HistogramSeries, {
      priceScaleId: "shade",
      color: fade(theme.ink2, 18),
      lastValueVisible: false,
      priceLineVisible: false,
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }),
    });
    series.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 }, visible: false });
    series.setData(times.map((time) => ({ time: at(time), value: 1 })));
    return series;
  },
  bars: (chart, { data }, theme) => {
    const series = chart.addSeries(HistogramSeries, {
      base: 0,
      lastValueVisible: false,
      priceLineVisible: false,
    });
    const colour = (value: number) => (value < 0 ? theme.loss : theme.gain);
    series.setData(data.map(({ time, value }) => ({ time: at(time), value, color: colour(value) })));
    return series;
  },
  candles: (chart, { data, markers, levels }, theme) => {
    const volume = chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      color: fade(theme.ink2, 22),
      lastValueVisible: false,
      priceLineVisible: false,
    });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    volume.setData(data.map((bar) => ({ time: at(bar.time), value: bar.volume })));
    const series = chart.addSeries(CandlestickSeries, {
      upColor: theme.gain,
      borderUpColor: theme.gain,
      wickUpColor: theme.gain,
      // Hollow falling candles: told apart by shape as well.
      downColor: theme.s1,
      borderDownColor: theme.loss,
      wickDownColor: theme.loss,
    });
    series.setData(
      data.map(({ time, open, high, low, close }) => ({ time: at(time), open, high, low, close })),
    );
    createSeriesMarkers(
      series,
      markers.map(({ time, side, text }) => ({
        time: at(time),
        text,
        color: theme.ink,
        position: side === "buy" ? "belowBar" : "aboveBar",
        shape: side === "buy" ? "arrowUp" : "arrowDown",
      })),
    );
    for (const { price, title, kind } of levels) {
      series.createPriceLine({
        price,
        title,
        color: theme.ink2,
        lineWidth: 1,
        lineStyle: LEVEL_STYLE[kind],
        axisLabelVisible: true,
      });
    }
    return series;
  },
};

function drawOne<K extends Series["kind"]>(
  chart: IChartApi,
  spec: Extract<Series, { kind: K }>,
  theme: ChartTheme,
) {
  const drawer = draw[spec.kind] as Drawer<K>;
  return drawer(chart, spec, theme);
}

/** The drawing itself. Everything a reader needs is beside it, in `Chart`. */
export default function ChartCanvas(props: ChartCanvasProps) {
  const { series, cursor } = props;
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<{ chart: IChartApi; first: ISeriesApi<SeriesType> | undefined } | null>(null);
  const formats = useRef(props);
  formats.current = props;
  const theme = useChartTheme();

  // The chart stands while its data changes, so that a drag or zoom survives an update.
  useEffect(() => {
    if (!box.current) return;
    // Said at once: the logo's style element would break the content security policy.
    const chart = createChart(box.current, { layout: { attributionLogo: false } });
    drawn.current = { chart, first: undefined };
    chart.subscribeCrosshairMove(({ point, sourceEvent, time }) => {
      // What the keys or a neighbour set has no source; what has left has no point.
      if (point === undefined) formats.current.onPoint(null);
      else if (sourceEvent) formats.current.onPoint(typeof time === "number" ? time : null);
    });
    return () => {
      drawn.current = null;
      chart.remove();
    };
  }, []);

  useEffect(() => {
    const current = drawn.current;
    if (!current) return;
    const { chart } = current;
    chart.applyOptions(options(theme, formats.current));
    const added = series.map((spec) => drawOne(chart, spec, theme));
    current.first = added.find((_, i) => series[i]?.kind !== "shade");
    chart.timeScale().fitContent();
    return () => {
      if (!drawn.current) return;
      for (const one of added) chart.removeSeries(one);
    };
  }, [series, theme]);

  useEffect(() => {
    const current = drawn.current;
    if (!current?.first) return;
    if (cursor) current.chart.setCrosshairPosition(cursor.value, at(cursor.time), current.first);
    else current.chart.clearCrosshairPosition();
  }, [cursor]);

  return <div ref={box} aria-hidden className="absolute inset-0 overflow-hidden" />;
}
