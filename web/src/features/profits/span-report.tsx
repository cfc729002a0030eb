import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { profitReportQuery } from "@/api/book-queries";
import { withQuery } from "@/api/client";
import type { ProfitReport, ProfitSpan, TradingMode } from "@/api/models";
import { Chart } from "@/features/charts/chart";
import type { Row, Series } from "@/features/charts/series";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { formatDate } from "@/fmt/time";
import { buttonClass } from "@/ui/button";
import { Partial } from "@/ui/failed";
import { FilterSelect } from "@/ui/field";
import { Money, Percent } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { Heatmap } from "./heatmap";
import { Shares } from "./shares";

export const SPANS: Record<ProfitSpan, string> = {
  last_30_days: "Last 30 days",
  month: "This month",
  last_month: "Last month",
  year: "This year",
  tax_year: "This tax year (from 1 March)",
  last_tax_year: "Last tax year (to end of February)",
  all: "All time",
};

interface SpanReportProps {
  span: ProfitSpan;
  mode: TradingMode;
  onSpan: (span: ProfitSpan) => void;
}

/** What was realised within a span: its figures, its days, and where it came from. */
export function SpanReport({ span, mode, onSpan }: SpanReportProps) {
  const query = useQuery(profitReportQuery(span, mode));
  return (
    <>
      <Panel
        title="Realised over time"
        note={query.data && `${formatDate(query.data.first, "UTC")} to ${formatDate(query.data.last, "UTC")}`}
        actions={
          <>
            <FilterSelect
              label="Span"
              value={span}
              onChange={(event) => onSpan(event.target.value as ProfitSpan)}
            >
              {Object.entries(SPANS).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </FilterSelect>
            <a href={withQuery("/api/profits/export", { span, mode })} download className={buttonClass()}>
              <Download aria-hidden className="size-4" />
              Save days as CSV
            </a>
          </>
        }
      >
        <Loaded query={query} what="the report" height={240}>
          {(report) => (
            <>
              <SpanFigures report={report} />
              {report.days.length === 0 ? (
                <Empty>Nothing was realised in this span. Days appear with their first fill.</Empty>
              ) : (
                <>
                  <Cumulative report={report} />
                  <Heatmap report={report} mode={mode} />
                </>
              )}
            </>
          )}
        </Loaded>
      </Panel>
      {query.data && <Shares report={query.data} mode={mode} />}
    </>
  );
}

const NONE = "No trade has closed in this span.";

function SpanFigures({ report }: { report: ProfitReport }) {
  const items = [
    { name: "Realised, after fees", value: <Money value={report.realized_profit} result /> },
    { name: "Fees", value: <Money value={report.fees} /> },
    { name: "Expectancy a trade", value: <Money value={report.expectancy} result reason={NONE} /> },
    {
      name: `Won (${report.winning_trades} of ${report.trades})`,
      value: <Percent value={report.win_rate} places={0} reason={NONE} />,
    },
  ];
  return (
    <div className="px-4 pb-3">
      {report.realized_reason && <Partial>{report.realized_reason}</Partial>}
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        {items.map(({ name, value }) => (
          <div key={name}>
            <dt className="text-sm text-ink-2">{name}</dt>
            <dd className="text-lg font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** The running total, day by day, as the server added it up. */
function Cumulative({ report }: { report: ProfitReport }) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const drawn = useMemo(() => {
    const text = (value: string) => (hidden ? "hidden" : formatMoney(value, { sign: "always", style }));
    const data = report.days.map(({ date, running }) => ({
      time: Date.parse(`${date}T00:00:00Z`) / 1000,
      value: Number(running),
    }));
    const rows: Row[] = report.days.map((day, i) => ({
      time: data[i]?.time ?? 0,
      value: data[i]?.value ?? 0,
      cells: [text(day.running), text(day.profit), String(day.trades)],
    }));
    const series: Series[] = [{ kind: "baseline", base: 0, data }];
    const label = `Realised profit since ${report.first}: ${text(report.realized_profit)} over ${rows.length} days with fills.`;
    return { series, rows, label };
  }, [report, style, hidden]);
  return (
    <Chart
      name={`profit-${report.span}`}
      heads={["Running total", "Profit of the day", "Trades"]}
      height={200}
      daily
      {...drawn}
    />
  );
}
