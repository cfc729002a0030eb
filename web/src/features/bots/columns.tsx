import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Bot } from "@/api/models";
import { compareDecimals, compareUnknown } from "@/fmt/decimal";
import { OriginChip } from "@/ui/chip";
import { Money, Percent } from "@/ui/money";
import { BotActions } from "./bot-actions";
import { BotSparkline } from "./bot-sparkline";
import { BotState, LastDecision } from "./bot-state";
import { PLATFORM_NAMES, STAGE_WORDS, STATUS_WORDS } from "./words";

export interface BotColumn {
  head: string;
  number?: boolean;
  cell: (bot: Bot) => ReactNode;
  compare?: (a: Bot, b: Bot) => number;
}

const byText = (text: (bot: Bot) => string) => (a: Bot, b: Bot) => text(a).localeCompare(text(b), "en");
const byNumber = (figure: (bot: Bot) => number | null) => (a: Bot, b: Bot) =>
  (figure(a) ?? Number.NEGATIVE_INFINITY) - (figure(b) ?? Number.NEGATIVE_INFINITY) || 0;

export const BOT_COLUMNS = {
  name: {
    head: "Bot",
    cell: (bot) => (
      <span className="inline-flex items-center gap-2 whitespace-nowrap">
        <Link to="/bots/$botId" params={{ botId: bot.id }} className="font-medium hover:underline">
          {bot.name}
        </Link>
        <OriginChip origin={bot.origin} />
      </span>
    ),
    compare: byText((bot) => bot.name),
  },
  market: {
    head: "Market",
    cell: (bot) => (
      <span className="whitespace-nowrap">
        {bot.pair} <span className="text-ink-2">{PLATFORM_NAMES[bot.platform]}</span>
      </span>
    ),
    compare: byText((bot) => `${bot.platform} ${bot.pair}`),
  },
  pair: { head: "Pair", cell: (bot) => bot.pair, compare: byText((bot) => bot.pair) },
  stage: {
    head: "Stage",
    cell: (bot) => <span className="whitespace-nowrap">{STAGE_WORDS[bot.lifecycle_stage]}</span>,
    compare: byText((bot) => bot.lifecycle_stage),
  },
  state: {
    head: "State",
    cell: (bot) => <BotState bot={bot} />,
    compare: byText((bot) => STATUS_WORDS[bot.status]),
  },
  capital: {
    head: "Equity",
    number: true,
    cell: (bot) => <Money value={bot.current_capital} reason={bot.unrealized_reason} />,
    compare: (a, b) => compareUnknown(a.current_capital, b.current_capital),
  },
  realised: {
    head: "Realised",
    number: true,
    cell: (bot) => <Money value={bot.realized_profit} result />,
    compare: (a, b) => compareDecimals(a.realized_profit, b.realized_profit),
  },
  unrealised: {
    head: "Unrealised",
    number: true,
    cell: (bot) => <Money value={bot.unrealized_profit} result reason={bot.unrealized_reason} />,
    compare: (a, b) => compareUnknown(a.unrealized_profit, b.unrealized_profit),
  },
  today: {
    head: "Today",
    number: true,
    cell: (bot) => <Money value={bot.profit_today} result />,
    compare: (a, b) => compareDecimals(a.profit_today, b.profit_today),
  },
  winRate: {
    head: "Win rate",
    number: true,
    cell: (bot) => <Percent value={bot.win_rate} places={0} reason="No trade has closed yet." />,
    compare: byNumber((bot) => bot.win_rate),
  },
  drawdown: {
    head: "Drawdown",
    number: true,
    cell: (bot) => (
      <Percent value={bot.max_drawdown_percent} places={1} reason="Its equity has no history yet." />
    ),
    compare: byNumber((bot) => bot.max_drawdown_percent),
  },
  trades: {
    head: "Trades",
    number: true,
    cell: (bot) => bot.total_trades,
    compare: byNumber((bot) => bot.total_trades),
  },
  spark: { head: "30 days", cell: (bot) => <BotSparkline bot={bot} /> },
  strategy: {
    head: "Strategy",
    cell: (bot) => <span className="whitespace-nowrap">{bot.strategy_title}</span>,
    compare: byText((bot) => bot.strategy_title),
  },
  fees: {
    head: "Fees",
    number: true,
    cell: (bot) => <Money value={bot.total_fees} />,
    compare: (a, b) => compareDecimals(a.total_fees, b.total_fees),
  },
  decision: {
    head: "Last decision",
    cell: (bot) => <LastDecision bot={bot} />,
    compare: byText((bot) => bot.last_decision?.at ?? ""),
  },
  actions: { head: "Actions", cell: (bot) => <BotActions bot={bot} /> },
} as const satisfies Record<string, BotColumn>;

export type BotColumnId = keyof typeof BOT_COLUMNS;

/** What the list of bots shows when nobody has chosen: as many as a screen of 1440 pixels holds. */
export const USUAL_COLUMNS: readonly BotColumnId[] = [
  "name",
  "market",
  "state",
  "realised",
  "unrealised",
  "today",
  "spark",
  "winRate",
  "drawdown",
  "trades",
  "actions",
];
/** Those that can be taken away, in the order in which they stand. */
export const CHOOSABLE: readonly BotColumnId[] = [
  "market",
  "strategy",
  "stage",
  "state",
  "capital",
  "realised",
  "unrealised",
  "today",
  "fees",
  "spark",
  "winRate",
  "drawdown",
  "trades",
  "decision",
];

/** The columns that an address names, in their order; the usual ones when it names none that exist. */
export function columnsOf(named: string | undefined): readonly BotColumnId[] {
  if (named === undefined) return USUAL_COLUMNS;
  const wanted = new Set(named.split(","));
  return ["name", ...CHOOSABLE.filter((id) => wanted.has(id)), "actions"];
}

/** Sorts by a column, "-" first for the other way round; equal rows keep the order of their names. */
export function sortBots(bots: Bot[], sort: string): Bot[] {
  const down = sort.startsWith("-");
  const id = (down ? sort.slice(1) : sort) as BotColumnId;
  const column: BotColumn | undefined = BOT_COLUMNS[id];
  const compare = column?.compare ?? BOT_COLUMNS.name.compare;
  return [...bots].sort((a, b) => (down ? -1 : 1) * compare(a, b) || a.name.localeCompare(b.name, "en"));
}
