import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Bot, Strategy } from "@/api/models";
import { strategiesQuery } from "@/api/queries";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { ScrollRegion } from "@/ui/scroll-region";
import { Loaded } from "@/ui/state";
import { changedParams, type Draft, draftOf, problemOf } from "./parameter-draft";
import { ParameterRow } from "./parameter-row";
import { useSaveParams } from "./save-params";

/** What the bot was told: each parameter, its meaning, its default and its limits; all can be changed. */
export function Parameters({ bot }: { bot: Bot }) {
  const query = useQuery(strategiesQuery);
  return (
    <Loaded query={query} what="the strategy" rows={4}>
      {(strategies) => {
        const strategy = strategies.find(({ id }) => id === bot.strategy);
        if (!strategy) return <p className="p-4">The library no longer has the strategy {bot.strategy}.</p>;
        return <ParameterForm bot={bot} strategy={strategy} />;
      }}
    </Loaded>
  );
}

function ParameterForm({ bot, strategy }: { bot: Bot; strategy: Strategy }) {
  const saved = draftOf(strategy, bot.params);
  const [draft, setDraft] = useState<Draft>(saved);
  const save = useSaveParams(bot);
  const problems = strategy.parameters.map((parameter) => problemOf(parameter, draft[parameter.name] ?? ""));
  const wrong = problems.some(Boolean);
  const changed = changedParams(strategy, draft, bot.params);
  const reason = wrong
    ? "Correct the marked values first."
    : changed === null
      ? "Nothing was changed."
      : bot.status === "deleted"
        ? "A deleted bot cannot be changed."
        : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (changed && !wrong) save.mutate(changed);
      }}
    >
      <p className="max-w-[72ch] px-4 pt-3 text-ink-2">
        {strategy.description} Source: {strategy.source}
      </p>
      <ScrollRegion label="Parameters" className="mt-2">
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">Value</th>
              <th scope="col" className="num">
                Default
              </th>
              <th scope="col" className="num">
                Limits
              </th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {strategy.parameters.map((parameter, place) => (
              <ParameterRow
                key={parameter.name}
                parameter={parameter}
                value={draft[parameter.name] ?? ""}
                problem={problems[place] ?? null}
                onChange={(value) => setDraft({ ...draft, [parameter.name]: value })}
              />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <div className="flex flex-col gap-2 border-t border-line px-4 py-3">
        <FormError error={save.error} />
        <p className="text-sm text-ink-2">
          New values count from its next decision on. Open positions and orders stay as they are. Who changed
          what is in the history.
        </p>
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="primary" disabledReason={reason} pending={save.isPending && "Saving…"}>
            Save parameters
          </Button>
          <Button
            disabledReason={changed === null && !wrong ? "Nothing was changed." : null}
            onClick={() => setDraft(saved)}
          >
            Undo changes
          </Button>
          <Button onClick={() => setDraft(draftOf(strategy, {}))}>Fill in the defaults</Button>
        </div>
      </div>
    </form>
  );
}
