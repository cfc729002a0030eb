import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { botTradesQuery, ordersQuery } from "@/api/book-queries";
import type { Bot, Order, Trade } from "@/api/models";
import { instrumentsQuery } from "@/api/queries";
import { TIMEFRAMES } from "@/features/bots/draft";
import { CandleChart } from "@/features/charts/candle-chart";
import { type Level, type Marker, seconds } from "@/features/charts/series";
import { placesOf } from "@/fmt/money";
import { FilterSelect } from "@/ui/field";
import { Panel } from "@/ui/panel";

function markersOf(trades: Trade[]): Marker[] {
  const entries = trades.map(
    ({ opened_at }): Marker => ({ time: seconds(opened_at), side: "buy", text: "" }),
  );
  const exits = trades.flatMap(({ closed_at }): Marker[] =>
    closed_at ? [{ time: seconds(closed_at), side: "sell", text: "" }] : [],
  );
  return [...entries, ...exits].sort((a, b) => a.time - b.time);
}

function levelsOf(bot: Bot, orders: Order[]): Level[] {
  const levels = orders.flatMap((order): Level[] => {
    const price = order.stop_price ?? order.price;
    if (price === null) return [];
    const stop = order.stop_price !== null;
    return [{ price: Number(price), title: stop ? "stop" : order.side, kind: stop ? "stop" : "order" }];
  });
  if (bot.position)
    levels.push({ price: Number(bot.position.average_price), title: "position", kind: "position" });
  return levels;
}

const NO_TRADES: Trade[] = [];
const NO_ORDERS: Order[] = [];

/** The market as the bot saw it, with its fills, its orders and its position drawn in. */
export function CandlePanel({ bot }: { bot: Bot }) {
  const [timeframe, setTimeframe] = useState(bot.timeframe);
  const trades = useQuery(botTradesQuery(bot.id)).data?.items ?? NO_TRADES;
  const orders = useQuery(ordersQuery(bot.id, true)).data?.items ?? NO_ORDERS;
  const instrument = useQuery(instrumentsQuery).data?.find(({ id }) => id === bot.instrument_id);
  const markers = useMemo(() => markersOf(trades), [trades]);
  const levels = useMemo(() => levelsOf(bot, orders), [bot, orders]);
  return (
    <Panel
      title={`${bot.pair} and its fills`}
      actions={
        <FilterSelect label="Bar" value={timeframe} onChange={(event) => setTimeframe(event.target.value)}>
          {[...new Set([bot.timeframe, ...TIMEFRAMES])].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </FilterSelect>
      }
    >
      <CandleChart
        instrumentId={bot.instrument_id}
        timeframe={timeframe}
        places={instrument ? placesOf(instrument.tick_size) : 2}
        height={300}
        markers={markers}
        levels={levels}
      />
    </Panel>
  );
}
