import { useQuery } from "@tanstack/react-query";
import { botTradesQuery } from "@/api/book-queries";
import type { Bot } from "@/api/models";
import { TradeRows } from "@/features/trades/trade-rows";
import { Empty, Loaded } from "@/ui/state";

export function BotTrades({ bot }: { bot: Bot }) {
  const query = useQuery(botTradesQuery(bot.id));
  return (
    <Loaded query={query} what="the trades" rows={5}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>
            No trades yet.{" "}
            {bot.last_decision
              ? `Its last decision: ${bot.last_decision.reason}`
              : "It has not decided anything yet."}{" "}
            The first trade appears here when it fills.
          </Empty>
        ) : (
          <TradeRows label={`Trades of ${bot.name}`} trades={items} showBot={false} />
        )
      }
    </Loaded>
  );
}
