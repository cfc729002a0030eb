import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Bot } from "@/api/models";
import { OriginChip } from "@/ui/chip";
import { Money } from "@/ui/money";
import { BotActions } from "./bot-actions";
import { BotState, LastDecision } from "./bot-state";
import { PLATFORM_NAMES } from "./words";

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-2">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}

/** Bots on a phone. A swipe never does anything; buttons do. */
export function BotCards({ bots }: { bots: Bot[] }) {
  return (
    <ul className="flex flex-col gap-3">
      {bots.map((bot) => (
        <li key={bot.id} className="panel flex flex-col gap-2 p-3">
          <div className="flex items-center gap-2">
            <Link to="/bots/$botId" params={{ botId: bot.id }} className="truncate text-lg font-medium">
              {bot.name}
            </Link>
            <OriginChip origin={bot.origin} />
            <span className="ml-auto">
              <BotActions bot={bot} />
            </span>
          </div>
          <p className="flex flex-wrap items-center gap-x-3 text-ink-2">
            <BotState bot={bot} />
            <span>
              {PLATFORM_NAMES[bot.platform]} {bot.pair}
            </span>
          </p>
          <dl className="grid grid-cols-[repeat(auto-fit,minmax(6rem,1fr))] gap-2">
            <Figure name="Today">
              <Money value={bot.profit_today} result />
            </Figure>
            <Figure name="Realised">
              <Money value={bot.realized_profit} result />
            </Figure>
            <Figure name="Unrealised">
              <Money value={bot.unrealized_profit} result reason={bot.unrealized_reason} />
            </Figure>
          </dl>
          <p className="text-sm text-ink-2">
            <LastDecision bot={bot} />
          </p>
        </li>
      ))}
    </ul>
  );
}
