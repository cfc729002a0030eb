import type { Strategy } from "@/api/models";
import { SelectField, TextField } from "@/ui/field";
import { type StepProps, TIMEFRAMES } from "./draft";

/** Step 1: how it decides, in plain words, with each parameter's meaning and limits. */
export function StrategyStep({ strategies, draft, onChange }: StepProps & { strategies: Strategy[] }) {
  const choose = (strategy: Strategy) => {
    const params = Object.fromEntries(strategy.parameters.map(({ name, default: value }) => [name, value]));
    onChange({ strategy, params, timeframe: strategy.default_timeframe, name: `${strategy.title} 1` });
  };
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-2 font-medium">How should it decide?</legend>
      {strategies.map((strategy) => (
        <div
          key={strategy.id}
          className="rounded-md border border-line-2 has-[input[type=radio]:checked]:border-ink has-[input[type=radio]:checked]:bg-s2"
        >
          <label className="flex gap-3 rounded-md p-3 hover:bg-s2 has-focus-visible:outline-2 has-focus-visible:outline-focus">
            <input
              type="radio"
              name="strategy"
              checked={draft.strategy?.id === strategy.id}
              onChange={() => choose(strategy)}
              className="mt-1 size-4 shrink-0 accent-ink"
            />
            <span>
              <span className="block font-semibold">{strategy.title}</span>
              <span className="block text-ink-2">{strategy.description}</span>
              <span className="block text-sm text-ink-2">Source: {strategy.source}</span>
            </span>
          </label>
          {draft.strategy?.id === strategy.id && (
            <Parameters strategy={strategy} draft={draft} onChange={onChange} />
          )}
        </div>
      ))}
    </fieldset>
  );
}

function Parameters({ strategy, draft, onChange }: StepProps & { strategy: Strategy }) {
  return (
    <details className="border-t border-line px-3 py-2">
      <summary className="font-medium">Parameters</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        {strategy.parameters.map(({ name, description, type, low, high, unit }) => (
          <TextField
            key={name}
            label={name.replaceAll("_", " ")}
            type="number"
            min={low}
            max={high}
            step={type === "int" ? 1 : "any"}
            value={draft.params[name] ?? ""}
            onChange={(event) =>
              onChange({ params: { ...draft.params, [name]: event.target.valueAsNumber } })
            }
            hint={`${description} ${low} to ${high}${unit ? ` ${unit}` : ""}.`}
            error={outOfRange(draft.params[name], low, high)}
          />
        ))}
        <SelectField
          label="Bar"
          hint="It decides each time such a bar closes."
          value={draft.timeframe}
          onChange={(event) => onChange({ timeframe: event.target.value })}
        >
          {[...new Set([strategy.default_timeframe, ...TIMEFRAMES])].map((timeframe) => (
            <option key={timeframe}>{timeframe}</option>
          ))}
        </SelectField>
      </div>
    </details>
  );
}

function outOfRange(value: number | undefined, low: number, high: number): string | undefined {
  if (value === undefined || (value >= low && value <= high)) return undefined;
  return `Between ${low} and ${high}.`;
}
