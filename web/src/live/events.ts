import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { keys } from "@/api/keys";
import type { ActivityItem, Bot, Order, Page } from "@/api/models";
import { noteArrival } from "./arrivals";
import type { LiveEvents } from "./events.gen";
import type { Refresh } from "./refresh";
import type { SequencedEvent } from "./socket";

export interface Effects {
  client: QueryClient;
  refresh: Refresh;
  /** Says something to the person now: alerts only. */
  announce(message: string, severity: string): void;
}

/** An event without a handler, or a handler without an event, is a type error. */
type Handlers = { [Name in keyof LiveEvents]: (event: LiveEvents[Name], effects: Effects) => void };

const ACTIVITY_KEPT = 200;

/** What was asked before the event may be answered after it, with what was true before: it is asked again. */
function outrun(key: QueryKey, { client, refresh }: Pick<Effects, "client" | "refresh">): void {
  if (client.isFetching({ queryKey: key, exact: true }) > 0) refresh.add(key);
}

function putBot(bot: Bot, { client, refresh }: Effects): void {
  client.setQueryData<Bot>(keys.bot(bot.id), (old) => (old ? bot : undefined));
  client.setQueryData<Bot[]>(keys.bots, (bots) => {
    if (!bots) return undefined;
    const known = bots.some((other) => other.id === bot.id);
    return known ? bots.map((other) => (other.id === bot.id ? bot : other)) : [...bots, bot];
  });
  outrun(keys.bots, { client, refresh });
  outrun(keys.bot(bot.id), { client, refresh });
  refresh.add(keys.platforms, keys.decisions(bot.id), keys.audit);
}

function changeBot(event: { bot: Bot }, effects: Effects): void {
  putBot(event.bot, effects);
}

function reloadKeys(_event: object, { refresh }: Effects): void {
  refresh.add(keys.apiKeys);
}

function reloadStop(event: LiveEvents["emergency_stop"], { refresh, announce }: Effects): void {
  refresh.add(keys.stop);
  // Whoever stops their own bots is told by the button.
  if (event.enabled && event.scope === "everybody") announce(event.message, "warning");
}

const handlers: Handlers = {
  bot_created: changeBot,
  bot_updated: changeBot,
  bot_paused: changeBot,
  bot_resumed: changeBot,
  bot_stopped: changeBot,
  bot_deleted: ({ bot_id }, { client, refresh }) => {
    client.setQueryData<Bot[]>(keys.bots, (bots) => bots?.filter((bot) => bot.id !== bot_id));
    refresh.add(keys.platforms, keys.wallet, keys.bot(bot_id));
  },
  trade_executed: ({ bot_id, trade }, { refresh }) => {
    noteArrival(trade.id);
    refresh.add(
      keys.trade(trade.id),
      ["bot-trades", bot_id],
      keys.bot(bot_id),
      keys.bots,
      keys.platforms,
      keys.profits,
      ["equity"],
      keys.ledger,
    );
  },
  profit_updated: ({ bot_id }, { refresh }) => {
    refresh.add(keys.profits, keys.platforms, keys.bot(bot_id), ["equity"]);
  },
  balance_updated: ({ wallet }, { client, refresh }) => {
    client.setQueryData(keys.wallet, wallet);
    outrun(keys.wallet, { client, refresh });
    refresh.add(keys.profits, keys.ledger, keys.audit);
  },
  order_updated: ({ order }, { client, refresh }) => {
    client.setQueriesData<Page<Order>>({ queryKey: [...keys.orders, order.bot_id] }, (page) =>
      page ? { ...page, items: page.items.map((row) => (row.id === order.id ? order : row)) } : undefined,
    );
    refresh.add([...keys.orders, order.bot_id]);
    if (order.mode === "live") refresh.add(keys.accounts);
  },
  alert: ({ message, severity }, { refresh, announce }) => {
    refresh.add(keys.alerts);
    if (severity !== "info") announce(message, severity);
  },
  account_updated: (_event, { refresh }) => refresh.add(keys.accounts),
  mode_switched: ({ message, base, mode_data }, { client, refresh, announce }) => {
    client.setQueryData(keys.mode, { ...mode_data, success: true, message });
    outrun(keys.mode, { client, refresh });
    // Screens without a mode in their address show the money that trades now.
    refresh.add(
      keys.profits,
      keys.platforms,
      ["equity"],
      keys.bots,
      keys.liveReadiness,
      keys.risk,
      keys.breakers,
    );
    announce(message, base === "live" ? "warning" : "info");
  },
  key_saved: reloadKeys,
  key_tested: reloadKeys,
  key_deleted: reloadKeys,
  // The alert beside it says it aloud.
  circuit_breaker_tripped: (_event, { refresh }) => refresh.add(keys.breakers, keys.risk),
  circuit_breaker_reset: (_event, { refresh }) => refresh.add(keys.breakers, keys.risk),
  emergency_stop: reloadStop,
  emergency_stop_deactivated: reloadStop,
  feed_changed: (_event, { refresh }) => refresh.add(keys.feeds, keys.instruments, keys.platforms),
};

function isKnown(name: string): name is keyof LiveEvents {
  return Object.hasOwn(handlers, name);
}

function remember({ type, seq, at, ...payload }: SequencedEvent, client: QueryClient): void {
  const item: ActivityItem = { seq, type, created_at: at, payload: payload as ActivityItem["payload"] };
  client.setQueryData<Page<ActivityItem>>(keys.activity, (page) =>
    page ? { ...page, items: [item, ...page.items].slice(0, ACTIVITY_KEPT) } : undefined,
  );
}

/** Applies one event of the socket to what is on screen. */
export function applyEvent(event: SequencedEvent, effects: Effects): void {
  remember(event, effects.client);
  const { type } = event;
  // A newer server may know events that this build does not; the activity list still shows them.
  if (isKnown(type)) run(type, event, effects);
}

function run<Name extends keyof LiveEvents>(name: Name, event: SequencedEvent, effects: Effects): void {
  const handler: Handlers[Name] = handlers[name];
  handler(event as unknown as LiveEvents[Name], effects);
}

export const handledEvents = Object.keys(handlers);
