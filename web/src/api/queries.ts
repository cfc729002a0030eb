/** What the screens read, one function per question. Screens never name an address themselves. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, api, type Query } from "./client";
import { keys } from "./keys";
import type * as m from "./models";

const FOREVER = Number.POSITIVE_INFINITY;
const PAGE = 200;

/** Reads a list to its end; used for lists that the user can see whole, such as one's own bots. */
async function everyPage<T>(path: string, query: Query, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: m.Page<T> = await api.get<m.Page<T>>(path, { ...query, limit: PAGE, cursor }, signal);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

/** The signed-in user, or null when nobody is. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async ({ signal }): Promise<m.User | null> => {
    try {
      return (await api.get<{ user: m.User }>("/api/auth/me", {}, signal)).user;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: FOREVER,
});

export const setupQuery = queryOptions({
  queryKey: keys.setup,
  queryFn: ({ signal }) => api.get<{ needed: boolean }>("/api/setup", {}, signal),
});

export const buildQuery = queryOptions({
  queryKey: keys.build,
  queryFn: ({ signal }) => api.get<m.SystemBuild>("/api/system/build", {}, signal),
  staleTime: FOREVER,
});

export const modeQuery = queryOptions({
  queryKey: keys.mode,
  queryFn: ({ signal }) => api.get<m.SystemMode>("/api/system/mode", {}, signal),
  staleTime: FOREVER,
});

export const botsQuery = queryOptions({
  queryKey: keys.bots,
  queryFn: ({ signal }) => everyPage<m.Bot>("/api/bots", {}, signal),
});

export const botQuery = (id: string) =>
  queryOptions({
    queryKey: keys.bot(id),
    queryFn: async ({ signal }) => (await api.get<{ bot: m.Bot }>(`/api/bots/${id}`, {}, signal)).bot,
  });

export const decisionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.decisions(id),
    queryFn: ({ signal }) => api.get<m.Page<m.Decision>>(`/api/bots/${id}/decisions`, { limit: 50 }, signal),
  });

export const botEquityQuery = (id: string, range: m.Range) =>
  queryOptions({
    queryKey: keys.equity(id, range),
    queryFn: ({ signal }) => api.get<m.EquitySeries>(`/api/bots/${id}/equity`, { range }, signal),
    placeholderData: keepPreviousData,
  });

export const equityQuery = (mode: m.TradingMode, range: m.Range) =>
  queryOptions({
    queryKey: keys.equity(mode, range),
    queryFn: ({ signal }) => api.get<m.EquitySeries>("/api/profits/equity", { mode, range }, signal),
    placeholderData: keepPreviousData,
  });

export const strategiesQuery = queryOptions({
  queryKey: keys.strategies,
  queryFn: async ({ signal }) =>
    (await api.get<{ items: m.Strategy[] }>("/api/strategies", {}, signal)).items,
  staleTime: FOREVER,
});

export const instrumentsQuery = queryOptions({
  queryKey: keys.instruments,
  queryFn: ({ signal }) => everyPage<m.Instrument>("/api/instruments", {}, signal),
});

export const candlesQuery = (instrument: string, timeframe: string) =>
  queryOptions({
    queryKey: keys.candles(instrument, timeframe),
    queryFn: ({ signal }) =>
      api.get<m.Candles>("/api/candles", { instrument_id: instrument, timeframe, limit: 500 }, signal),
  });

export const feedsQuery = queryOptions({
  queryKey: keys.feeds,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.Feed>>("/api/feeds", {}, signal)).items,
});

export const walletQuery = queryOptions({
  queryKey: keys.wallet,
  queryFn: async ({ signal }) => {
    const body = await api.get<m.Wallet | { wallet: m.Wallet }>("/api/wallet/paper", {}, signal);
    return "wallet" in body ? body.wallet : body;
  },
});

export interface TradeFilters {
  status?: "open" | "closed" | undefined;
  mode?: m.TradingMode | undefined;
  bot_id?: string | undefined;
  platform?: string | undefined;
  pair?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  sort?: string | undefined;
}

const TRADES_PER_PAGE = 100;

export const tradesQuery = (filters: TradeFilters) =>
  infiniteQueryOptions({
    queryKey: [...keys.trades, filters],
    queryFn: ({ pageParam, signal }) =>
      api.get<m.TradePage>("/api/trades", { ...filters, cursor: pageParam, limit: TRADES_PER_PAGE }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const botTradesQuery = (botId: string) =>
  queryOptions({
    queryKey: ["bot-trades", botId],
    queryFn: ({ signal }) => api.get<m.TradePage>("/api/trades", { bot_id: botId, limit: 200 }, signal),
  });

export const tradeQuery = (id: string) =>
  queryOptions({
    queryKey: keys.trade(id),
    queryFn: ({ signal }) => api.get<{ trade: m.Trade; fills: m.Fill[] }>(`/api/trades/${id}`, {}, signal),
  });

export const ordersQuery = (botId: string, open: boolean) =>
  queryOptions({
    queryKey: [...keys.orders, botId, open],
    queryFn: ({ signal }) =>
      api.get<m.Page<m.Order>>("/api/orders", { bot_id: botId, open: open || null, limit: 100 }, signal),
  });

export const orderQuery = (id: string) =>
  queryOptions({
    queryKey: ["order", id],
    queryFn: ({ signal }) => api.get<m.OrderDetail>(`/api/orders/${id}`, {}, signal),
  });

export const ledgerQuery = (filters: { trade_id?: string; bot_id?: string }) =>
  queryOptions({
    queryKey: [...keys.ledger, filters],
    queryFn: ({ signal }) => api.get<m.Page<m.LedgerEntry>>("/api/ledger/entries", filters, signal),
  });

export const verifyQuery = queryOptions({
  queryKey: [...keys.ledger, "verify"],
  queryFn: ({ signal }) => api.get<m.LedgerVerification>("/api/ledger/verify", {}, signal),
  staleTime: 30_000,
});

export const profitSummaryQuery = (mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.profits, "summary", mode],
    queryFn: ({ signal }) => api.get<m.ProfitSummary>("/api/profits/summary", { mode }, signal),
  });

/** Bars of one period, oldest first, in one shape whatever the period is. */
export const profitBarsQuery = (period: m.Period, mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.profits, period, mode],
    queryFn: async ({ signal }): Promise<m.ProfitBar[]> => {
      const query = { period, mode };
      if (period === "daily") {
        const { items } = await api.get<m.ProfitDaily>("/api/profits", query, signal);
        return items.map(({ date, profit }) => ({ label: date, start: date, profit }));
      }
      if (period === "weekly") {
        const { items } = await api.get<m.ProfitWeekly>("/api/profits", query, signal);
        return items.map(({ week, profit, period: span }) => ({ label: week, start: span, profit }));
      }
      const { items } = await api.get<m.ProfitMonthly>("/api/profits", query, signal);
      return items.map(({ month, profit, period: span }) => ({ label: month, start: span, profit }));
    },
    placeholderData: keepPreviousData,
  });

export const platformsQuery = (mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.platforms, mode],
    queryFn: ({ signal }) => api.get<m.PlatformsSummary>("/api/platforms/summary", { mode }, signal),
  });

export const platformBotsQuery = (platform: string, mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.platforms, platform, mode],
    queryFn: ({ signal }) => api.get<m.PlatformBots>(`/api/platforms/${platform}/bots`, { mode }, signal),
  });

export const alertsQuery = queryOptions({
  queryKey: keys.alerts,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.AlertItem>>("/api/alerts", {}, signal)).items,
});

export const activityQuery = queryOptions({
  queryKey: keys.activity,
  queryFn: ({ signal }) => api.get<m.Page<m.ActivityItem>>("/api/events", { limit: 100 }, signal),
});

export const sessionsQuery = queryOptions({
  queryKey: keys.sessions,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.Session>>("/api/auth/sessions", {}, signal)).items,
});

export const tokensQuery = queryOptions({
  queryKey: keys.tokens,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.AccessToken>>("/api/tokens", {}, signal)).items,
});

export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: async ({ signal }) =>
    (await api.get<{ providers: m.Provider[] }>("/api/keys/providers", {}, signal)).providers,
  staleTime: FOREVER,
});

export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: ({ signal }) => api.get<m.ApiKeyList>("/api/keys/list", {}, signal),
});

export const factorsQuery = queryOptions({
  queryKey: keys.factors,
  queryFn: ({ signal }) => api.get<m.Factors>("/api/auth/factors", {}, signal),
});

export const usersQuery = queryOptions({
  queryKey: keys.users,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.ManagedUser>>("/api/users", {}, signal)).items,
});

export const invitesQuery = queryOptions({
  queryKey: keys.invites,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.Invite>>("/api/invites", {}, signal)).items,
});
