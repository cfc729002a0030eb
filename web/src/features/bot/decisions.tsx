import { useQuery } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import type { Bot, Decision, Gate } from "@/api/models";
import { decisionsQuery } from "@/api/queries";
import { VERDICT_WORDS } from "@/features/bots/words";
import { formatNumber, isDecimal } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";
import { formatAge } from "@/fmt/time";
import { Moment } from "@/ui/age";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { Unknown } from "@/ui/unknown";

/** Each decision with its rule: which gates it asked, their values, their thresholds. */
export function Decisions({ bot }: { bot: Bot }) {
  const query = useQuery(decisionsQuery(bot.id));
  return (
    <Loaded query={query} what="the decisions" rows={6}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>
            It has not decided anything yet. The first decision comes when a {bot.timeframe} bar of {bot.pair}{" "}
            closes while the bot runs; the reason for trading or not is then here.
          </Empty>
        ) : (
          <ol>
            {items.map((decision, index) => (
              <DecisionRow key={decision.at} decision={decision} open={index === 0} />
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}

function DecisionRow({ decision, open }: { decision: Decision; open: boolean }) {
  return (
    <li className="border-b border-line last:border-0">
      <details open={open}>
        <summary className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2 -outline-offset-2! hover:bg-s2">
          <span className="text-sm text-ink-2">
            <Moment at={decision.at} />
          </span>
          <strong className="w-28 font-semibold">{VERDICT_WORDS[decision.verdict]}</strong>
          <span className="min-w-48 flex-1">{decision.reason}</span>
          <span className="text-sm text-ink-2">
            {decision.data_age_s !== null && `on data ${formatAge(decision.data_age_s * 1000)} old`}
          </span>
        </summary>
        {decision.gates.length > 0 ? (
          <Gates gates={decision.gates} />
        ) : (
          <p className="px-4 pb-3 text-ink-2">It asked no gate.</p>
        )}
      </details>
    </li>
  );
}

const OPERATORS: Record<string, string> = {
  ">=": "at least",
  "<=": "at most",
  ">": "above",
  "<": "below",
  "==": "equal to",
  "!=": "other than",
};

function Gates({ gates }: { gates: Gate[] }) {
  return (
    <ScrollRegion label="Gates" className="mx-4 mb-3 max-w-3xl rounded-md border border-line">
      <table className="ledger">
        <thead>
          <tr>
            <th scope="col">Gate</th>
            <th scope="col" className="num">
              Value
            </th>
            <th scope="col">Must be</th>
            <th scope="col" className="num">
              Threshold
            </th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {gates.map((gate) => (
            <tr key={gate.name}>
              <td>{gate.name.replaceAll("_", " ")}</td>
              <td className="num">
                <GateValue value={gate.value} />
              </td>
              <td className="text-ink-2">{OPERATORS[gate.op] ?? gate.op}</td>
              <td className="num">
                <GateValue value={gate.threshold} />
              </td>
              <td>
                <span className="inline-flex items-center gap-1.5">
                  {gate.passed ? (
                    <Check aria-hidden className="size-4" />
                  ) : (
                    <X aria-hidden className="size-4" />
                  )}
                  {gate.passed ? "passed" : <strong className="font-semibold">not passed</strong>}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function GateValue({ value }: { value: Gate["value"] }) {
  const style = useNumberStyle();
  if (value === null) return <Unknown reason="It was not known when the decision was made." />;
  const text = String(value);
  return isDecimal(text) ? formatNumber(text, { minPlaces: 0, maxPlaces: 8, style }) : text;
}
