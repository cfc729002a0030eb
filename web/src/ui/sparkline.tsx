interface SparklineProps {
  values: number[];
  /** What it shows, in one sentence. */
  label: string;
}

const WIDTH = 88;
const HEIGHT = 22;
const PAD = 2;

/** The points of a line through the values in a small box, and where zero lies in it. */
export function sparkPath(values: number[]): { path: string; zero: number } {
  const low = Math.min(0, ...values);
  const span = Math.max(0, ...values) - low || 1;
  const y = (value: number) => HEIGHT - PAD - ((value - low) / span) * (HEIGHT - 2 * PAD);
  const step = (WIDTH - 2 * PAD) / Math.max(1, values.length - 1);
  const points = values.map((value, i) => `${(PAD + i * step).toFixed(1)},${y(value).toFixed(1)}`);
  return { path: `M${points.join("L")}`, zero: y(0) };
}

/** A line without axes: above zero in the gain's colour, below in the loss's, by where it ends. */
export function Sparkline({ values, label }: SparklineProps) {
  const { path, zero } = sparkPath(values);
  const last = values.at(-1) ?? 0;
  const tone = last > 0 ? "stroke-gain" : last < 0 ? "stroke-loss" : "stroke-ink-2";
  return (
    <svg role="img" aria-label={label} width={WIDTH} height={HEIGHT} className="block">
      <path d={`M0 ${zero.toFixed(1)}H${WIDTH}`} className="stroke-line-2" strokeDasharray="2 3" />
      <path d={path} fill="none" strokeWidth={1.5} className={tone} />
    </svg>
  );
}
