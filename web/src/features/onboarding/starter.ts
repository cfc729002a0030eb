import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Bot, Instrument, Strategy, Wallet } from "@/api/models";
import { compareDecimals } from "@/fmt/decimal";

export const PAPER_FUNDING = "100000";
export const FIRST_CAPITAL = "10000";

/** The market for a first bot: one whose prices arrive now, in rand before others, bitcoin before others. */
export function firstMarket(instruments: Instrument[]): Instrument | undefined {
  const rank = ({ feed, quote, base }: Instrument) =>
    (feed.state === "live" ? 0 : feed.state === "connecting" ? 8 : 16) +
    (quote === "ZAR" ? 0 : 2) +
    (base === "BTC" ? 0 : 1);
  return [...instruments].sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id))[0];
}

const FOR_BEGINNERS = ["ema_cross", "rsi_reversion", "donchian_trend"];

/** Three strategies that are easy to follow, the easiest first; whatever there is when they are not. */
export function firstStrategies(all: Strategy[]): Strategy[] {
  const rank = ({ id }: Strategy) =>
    FOR_BEGINNERS.includes(id) ? FOR_BEGINNERS.indexOf(id) : FOR_BEGINNERS.length;
  return [...all].sort((a, b) => rank(a) - rank(b)).slice(0, FOR_BEGINNERS.length);
}

/** The bar at which a first bot decides: each minute in the sandbox, so that one sees it at work. */
export function firstTimeframe(strategy: Strategy, market: Instrument): string {
  return market.origin === "synthetic" ? "1m" : strategy.default_timeframe;
}

export interface Start {
  strategy: Strategy;
  market: Instrument;
  wallet: Wallet;
}

/** Books the paper money if the wallet has too little, creates the bot running, and opens its page. */
export function useFirstBot() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async ({ strategy, market, wallet }: Start) => {
      if (compareDecimals(wallet.available, FIRST_CAPITAL) < 0) {
        const funded = await api.post<{ wallet: Wallet }>("/api/wallet/paper/fund", {
          amount: PAPER_FUNDING,
        });
        client.setQueryData(keys.wallet, funded.wallet);
      }
      const { bot } = await api.post<{ bot: Bot }>("/api/bots", {
        name: `${strategy.title} 1`,
        platform: market.platform,
        pair: market.pair,
        strategy: strategy.id,
        timeframe: firstTimeframe(strategy, market),
        risk_mode: "balanced",
        capital_zar: FIRST_CAPITAL,
        start: true,
      });
      return bot;
    },
    onSuccess: async (bot) => {
      client.setQueryData(keys.bot(bot.id), bot);
      await navigate({ to: "/bots/$botId", params: { botId: bot.id } });
      void client.invalidateQueries();
    },
  });
}
