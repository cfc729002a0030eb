/** What every screen and the overview read, one function per question. Screens never name an address themselves. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, api, type Query } from "./client";
import { keys } from "./keys";
import type * as m from "./models";

const FOREVER = Number.POSITIVE_INFINITY;
const PAGE = 200;

/** Reads a list to its end; used for lists that the user can see whole, such as one's own bots. */
export async function everyPage<T>(path: string, query: Query, signal: AbortSignal): Promise<T[]> {
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

/** For admins. Time alone changes what it says, so it is asked again while it is shown. */
export const liveReadinessQuery = queryOptions({
  queryKey: keys.liveReadiness,
  queryFn: ({ signal }) => api.get<m.LiveReadiness>("/api/system/mode/readiness", {}, signal),
  refetchInterval: 10_000,
});

/** How much of each limit is used; prices move it without an event. */
export const riskQuery = queryOptions({
  queryKey: keys.risk,
  queryFn: ({ signal }) => api.get<m.Risk>("/api/risk", {}, signal),
  refetchInterval: 5_000,
});

/** What lets nothing enter now; a day's loss is over with the day, without an event. */
export const breakersQuery = queryOptions({
  queryKey: [...keys.breakers, "status"],
  queryFn: ({ signal }) => api.get<m.Breakers>("/api/circuit-breaker/status", {}, signal),
  refetchInterval: 60_000,
});

export const tripsQuery = queryOptions({
  queryKey: [...keys.breakers, "history"],
  queryFn: ({ signal }) => api.get<m.Page<m.Breaker>>("/api/circuit-breaker/history", { limit: 50 }, signal),
});

export const stopQuery = queryOptions({
  queryKey: keys.stop,
  queryFn: ({ signal }) => api.get<m.StopStatus>("/api/system/emergency-stop/status", {}, signal),
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

/** Which market the engine was told to show: origin alone does not tell the sandbox from a stand-in. */
export const sourceQuery = queryOptions({
  queryKey: [...keys.feeds, "source"],
  queryFn: async ({ signal }) => (await api.get<m.MarketChoice>("/api/system/market", {}, signal)).source,
});

export const walletQuery = queryOptions({
  queryKey: keys.wallet,
  queryFn: ({ signal }) => api.get<m.Wallet>("/api/wallet/paper", {}, signal),
});

export const profitSummaryQuery = (mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.profits, "summary", mode],
    queryFn: ({ signal }) => api.get<m.ProfitSummary>("/api/profits/summary", { mode }, signal),
  });

export const benchmarkQuery = (mode: m.TradingMode, range: m.Range) =>
  queryOptions({
    queryKey: keys.equity(`benchmark ${mode}`, range),
    queryFn: ({ signal }) => api.get<m.Benchmark>("/api/profits/benchmark", { mode, range }, signal),
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
