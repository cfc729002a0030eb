/** What the screens of trades, ledger, profits and audit read; apart, since the overview needs none of it. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { keys } from "./keys";
import type * as m from "./models";
import { everyPage } from "./queries";

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

const TRADES_PER_PAGE = 200;

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

const LINES_PER_PAGE = 50;

export interface EntryFilters {
  bot_id?: string | undefined;
  asset?: string | undefined;
  kind?: string | undefined;
}

/** Entries of the book, newest first, page by page. */
export const entriesQuery = (filters: EntryFilters) =>
  infiniteQueryOptions({
    queryKey: [...keys.ledger, "entries", filters],
    queryFn: ({ pageParam, signal }) =>
      api.get<m.Page<m.LedgerEntry>>(
        "/api/ledger/entries",
        { ...filters, cursor: pageParam, limit: LINES_PER_PAGE },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

/** What each account that begins with the prefix holds. */
export const accountsQuery = (prefix: string, mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.ledger, "accounts", prefix, mode],
    queryFn: ({ signal }) => everyPage<m.LedgerAccount>("/api/ledger/accounts", { prefix, mode }, signal),
  });

/** What moved on one account, newest first, with its balance after each entry. */
export const statementQuery = (account: string, asset: string, mode: m.TradingMode) =>
  infiniteQueryOptions({
    queryKey: [...keys.ledger, "statement", account, asset, mode],
    queryFn: ({ pageParam, signal }) =>
      api.get<m.Page<m.StatementLine>>(
        "/api/ledger/statement",
        { account, asset, mode, cursor: pageParam, limit: LINES_PER_PAGE },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export interface AuditFilters {
  object_type?: string | undefined;
  object_id?: string | undefined;
}

export const auditQuery = (filters: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: [...keys.audit, filters],
    queryFn: ({ pageParam, signal }) =>
      api.get<m.Page<m.AuditFact>>(
        "/api/audit",
        { ...filters, cursor: pageParam, limit: LINES_PER_PAGE },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const auditCheckQuery = queryOptions({
  queryKey: [...keys.audit, "verify"],
  queryFn: ({ signal }) => api.get<m.AuditCheck>("/api/audit/verify", {}, signal),
  staleTime: 30_000,
});

export const sparklinesQuery = (mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.profits, "sparklines", mode],
    queryFn: async ({ signal }) => {
      const { items } = await api.get<m.Sparklines>("/api/bots/sparklines", { mode }, signal);
      return new Map(items.map(({ bot_id, values }) => [bot_id, values]));
    },
  });

export const verifyQuery = queryOptions({
  queryKey: [...keys.ledger, "verify"],
  queryFn: ({ signal }) => api.get<m.LedgerVerification>("/api/ledger/verify", {}, signal),
  staleTime: 30_000,
});

export const profitReportQuery = (span: m.ProfitSpan, mode: m.TradingMode) =>
  queryOptions({
    queryKey: [...keys.profits, "report", span, mode],
    queryFn: ({ signal }) => api.get<m.ProfitReport>("/api/profits/report", { span, mode }, signal),
    placeholderData: keepPreviousData,
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

export const liveAccountsQuery = queryOptions({
  queryKey: keys.accounts,
  queryFn: ({ signal }) => api.get<m.LiveAccounts>("/api/accounts", {}, signal),
});
