import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { Check, TriangleAlert } from "lucide-react";
import { verifyQuery } from "@/api/book-queries";
import type { ProfitSummary } from "@/api/models";
import { compareDecimals, sumDecimals } from "@/fmt/decimal";
import { Moment } from "@/ui/age";
import { Money } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Unknown } from "@/ui/unknown";

interface Step {
  name: string;
  value: string | null;
  reason?: string | null;
  result: boolean;
  unsettled?: boolean;
}

export function stepsOf(summary: ProfitSummary): Step[] {
  return [
    { name: "Deposits", value: summary.deposits, result: false },
    // Fees are no step of their own: those of open positions are in the unrealised result, so that
    // adding all of them back to the realised one would show a gain that nobody made.
    { name: "Realised, after fees", value: summary.realized_profit, result: true },
    {
      name: "Currency result",
      value: summary.fx_profit,
      reason: summary.fx_reason,
      result: true,
    },
    {
      name: "Unrealised, after fees",
      value: summary.unrealized_profit,
      reason: summary.unrealized_reason,
      result: true,
      unsettled: true,
    },
    {
      name: "Rounding",
      value: summary.rounding,
      reason: summary.equity_reason,
      result: true,
    },
  ];
}

function negated(value: string): string {
  return value.startsWith("-") ? value.slice(1) : `-${value}`;
}

/** What is left when the steps are taken from the server's own equity; null while one is unknown. */
export function residue(steps: Step[], equity: string | null): string | null {
  if (equity === null) return null;
  const values: string[] = [];
  for (const { value } of steps) {
    if (value === null) return null;
    values.push(value);
  }
  return sumDecimals([equity, negated(sumDecimals(values))]);
}

/** From what was put in to what is there, step by step; says whether it adds up. */
export function Waterfall({ summary }: { summary: ProfitSummary }) {
  const steps = stepsOf(summary);
  const rest = residue(steps, summary.equity);
  const bars = barsOf(steps, summary.equity);
  return (
    <Panel
      title="How the equity comes about"
      className="scroll-mt-14"
      note={
        <>
          fees paid <Money value={summary.total_fees} />
          {summary.marked_at && (
            <>
              , marked <Moment at={summary.marked_at} clockOnly />
            </>
          )}
        </>
      }
    >
      <ScrollRegion label="From deposits to equity">
        <table id="waterfall" className="ledger">
          <tbody>
            {steps.map(({ name, value, reason, result, unsettled }, place) => (
              <tr key={name} className={unsettled ? "hatched" : undefined}>
                <th scope="row" className="text-ink!">
                  {name}
                </th>
                <td className="num">
                  <Money value={value} result={result} reason={reason} />
                </td>
                <td className="w-2/5 max-sm:hidden">
                  <Bar bar={bars[place]} />
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td>Equity</td>
              <td className="num">
                <Money value={summary.equity} reason={summary.equity_reason} />
              </td>
              <td className="max-sm:hidden">
                <Bar bar={bars.at(-1)} />
              </td>
            </tr>
          </tfoot>
        </table>
      </ScrollRegion>
      <Verdict rest={rest} />
    </Panel>
  );
}

export interface WaterfallBar {
  /** Percent of the drawn range. */
  left: number;
  width: number;
  tone: "ink" | "gain" | "loss";
}

/**
 * Where each step stands between what was before it and what is after it, the equity last. The axis
 * leaves out what all of them share, so that small steps on large deposits can be seen.
 */
export function barsOf(steps: Step[], equity: string | null): (WaterfallBar | undefined)[] {
  let level = 0;
  const spans = steps.map(({ value, result }) => {
    // What rounds to nothing has no bar, not a sliver of one.
    if (value === null || Math.abs(Number(value)) < 0.005) return undefined;
    const from = level;
    level += Number(value);
    return { from, to: level, tone: !result ? "ink" : Number(value) < 0 ? "loss" : "gain" } as const;
  });
  const end = equity === null ? undefined : ({ from: 0, to: Number(equity), tone: "ink" } as const);
  const all = [...spans, end];
  const ends = all.flatMap((span) => (span ? [span.to] : []));
  const lowest = Math.min(...ends);
  const highest = Math.max(...ends);
  const room = Math.max((highest - lowest) * 0.15, 1e-9);
  const floor = Math.max(0, lowest - room);
  const percent = (value: number) => ((Math.max(value, floor) - floor) / (highest - floor || 1)) * 100;
  return all.map((span) => {
    if (!span) return undefined;
    const left = percent(Math.min(span.from, span.to));
    return { left, width: percent(Math.max(span.from, span.to)) - left, tone: span.tone };
  });
}

const TONES = { ink: "bg-ink-2", gain: "bg-gain", loss: "bg-loss" } as const;

/** The amount beside it says the same in figures. */
function Bar({ bar }: { bar: WaterfallBar | undefined }) {
  if (!bar) return null;
  return (
    <span aria-hidden className="relative block h-3 min-w-24">
      <span
        className={clsx("absolute inset-y-0 min-w-0.5 rounded-[2px]", TONES[bar.tone])}
        style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
      />
    </span>
  );
}

const CENT = "0.01";

function Verdict({ rest }: { rest: string | null }) {
  const { data: ledger } = useQuery(verifyQuery);
  const off = rest !== null && compareDecimals(rest.replace("-", ""), CENT) >= 0;
  return (
    <p className="flex flex-wrap items-center gap-x-2 border-t border-line px-4 py-2 text-sm text-ink-2">
      {off ? <TriangleAlert aria-hidden className="size-4" /> : <Check aria-hidden className="size-4" />}
      {rest === null && "Not every step is known, so it cannot be checked. "}
      {off && (
        <strong className="font-semibold text-ink">
          Does not add up: <Money value={rest} /> are unexplained.
        </strong>
      )}
      {rest !== null && !off && "Adds up. "}
      {ledger ? (
        <span>
          Ledger {ledger.ok ? "reconciled" : "NOT reconciled"}, {ledger.entries_checked} entries checked at{" "}
          <Moment at={ledger.checked_at} clockOnly />
          {!ledger.ok && ledger.first_difference && `: ${ledger.first_difference}`}
        </span>
      ) : (
        <span>
          Ledger check <Unknown reason="The check has not answered yet." />
        </span>
      )}
    </p>
  );
}
