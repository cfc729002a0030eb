import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Bot, NewBot as NewBotRequest } from "@/api/models";
import { strategiesQuery } from "@/api/queries";
import { FormError } from "@/features/session/form-error";
import { parseTyped } from "@/fmt/number";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/state";
import { type Draft, EMPTY_DRAFT } from "./draft";
import { MarketStep } from "./market-step";
import { MoneyStep } from "./money-step";
import { StrategyStep } from "./strategy-step";

const STEPS = ["Strategy", "Market", "Money"] as const;

/** Why a step is not complete yet, or null when it is. */
function missing(step: number, draft: Draft): string | null {
  if (step === 0) return draft.strategy ? null : "Choose a strategy.";
  if (step === 1) return draft.market ? null : "Choose a market.";
  if (!draft.name.trim()) return "Give the bot a name.";
  return parseTyped(draft.capital) ? null : "Write the money as a number.";
}

function requestOf(draft: Draft): NewBotRequest | null {
  const capital = parseTyped(draft.capital);
  if (!draft.strategy || !draft.market || !capital) return null;
  return {
    name: draft.name.trim(),
    platform: draft.market.platform,
    pair: draft.market.pair,
    strategy: draft.strategy.id,
    params: draft.params,
    timeframe: draft.timeframe,
    risk_mode: draft.riskMode,
    capital_zar: capital,
    start: true,
  };
}

/** A new paper bot in three steps; the drawer's place is in the address. */
export default function NewBot({ onClose }: { onClose: () => void }) {
  const [step, setStep] = useState(0);
  const [draft, setDraft] = useState<Draft>(EMPTY_DRAFT);
  const strategies = useQuery(strategiesQuery);
  const client = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: async (body: NewBotRequest) => (await api.post<{ bot: Bot }>("/api/bots", body)).bot,
    onSuccess: async (bot) => {
      client.setQueryData(keys.bot(bot.id), bot);
      void client.invalidateQueries({ queryKey: keys.wallet });
      await navigate({ to: "/bots/$botId", params: { botId: bot.id } });
      void client.invalidateQueries({ queryKey: keys.bots });
    },
  });
  const change = (part: Partial<Draft>) => {
    create.reset();
    setDraft((old) => ({ ...old, ...part }));
  };
  const lack = missing(step, draft);
  const last = step === STEPS.length - 1;
  const go = () => {
    const request = requestOf(draft);
    if (!last) setStep(step + 1);
    else if (request) create.mutate(request);
  };
  const footer = (
    <>
      {step > 0 && <Button onClick={() => setStep(step - 1)}>Back</Button>}
      <Button look="primary" disabledReason={lack} pending={create.isPending && "Starting…"} onClick={go}>
        {last ? "Create and start" : `Next: ${STEPS[step + 1]?.toLowerCase()}`}
      </Button>
    </>
  );
  return (
    <Dialog title="New paper bot" side open onClose={onClose} footer={footer}>
      <ol className="mb-4 flex gap-4 text-sm">
        {STEPS.map((name, i) => (
          <li
            key={name}
            aria-current={i === step ? "step" : undefined}
            className={i === step ? "font-semibold" : "text-ink-2"}
          >
            {i + 1}. {name}
          </li>
        ))}
      </ol>
      {step === 0 && (
        <Loaded query={strategies} what="the strategies" rows={6}>
          {(all) => <StrategyStep strategies={all} draft={draft} onChange={change} />}
        </Loaded>
      )}
      {step === 1 && <MarketStep draft={draft} onChange={change} />}
      {step === 2 && <MoneyStep draft={draft} onChange={change} />}
      <div className="mt-4">
        <FormError error={create.error} />
      </div>
    </Dialog>
  );
}
