import { clsx } from "clsx";
import { type KeyboardEvent, useId, useRef } from "react";
import type { Bot } from "@/api/models";
import { FactList } from "@/features/audit/fact-list";
import { TABS } from "@/routes/_app.bots.$botId";
import { BotTrades } from "./bot-trades";
import { Decisions } from "./decisions";
import { Orders } from "./orders";
import { Parameters } from "./parameters";

type Tab = (typeof TABS)[number];

const NAMES: Record<Tab, string> = {
  decisions: "Why (no) trade",
  trades: "Trades",
  orders: "Orders",
  parameters: "Parameters",
  history: "History",
};

interface BotTabsProps {
  bot: Bot;
  tab: Tab;
  onTab: (tab: Tab) => void;
}

/** Tabs as the ARIA practices describe them: one stop, arrows between, the address keeps the place. */
export function BotTabs({ bot, tab, onTab }: BotTabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length] ?? tab;
    onTab(next);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <section className="panel min-w-0" aria-label={`Details of ${bot.name}`}>
      <div
        ref={list}
        role="tablist"
        aria-label="Details"
        onKeyDown={press}
        className="flex overflow-x-auto border-b border-line px-2"
      >
        {TABS.map((each) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`${id}-${each}`}
            data-tab={each}
            aria-selected={each === tab}
            aria-controls={`${id}-panel`}
            tabIndex={each === tab ? 0 : -1}
            onClick={() => onTab(each)}
            className={clsx(
              "min-h-10 border-b-2 px-3 whitespace-nowrap -outline-offset-2!",
              each === tab ? "border-ink font-semibold" : "border-transparent text-ink-2 hover:text-ink",
            )}
          >
            {NAMES[each]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`}>
        {tab === "decisions" && <Decisions bot={bot} />}
        {tab === "trades" && <BotTrades bot={bot} />}
        {tab === "orders" && <Orders bot={bot} />}
        {tab === "parameters" && <Parameters key={JSON.stringify(bot.params)} bot={bot} />}
        {tab === "history" && <FactList filters={{ object_type: "bot", object_id: bot.id }} />}
      </div>
    </section>
  );
}
