import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { ReactNode } from "react";
import type { Bot } from "@/api/models";
import { usePrices } from "@/live/prices";
import { Ago } from "@/ui/age";
import { Money, Percent, Quantity } from "@/ui/money";
import { Unknown } from "@/ui/unknown";

interface FigureProps {
  name: string;
  note?: ReactNode;
  unsettled?: boolean;
  children: ReactNode;
}

function Figure({ name, note, unsettled = false, children }: FigureProps) {
  return (
    <div className={clsx("panel px-3 py-2", unsettled && "hatched border-dashed! border-line-2!")}>
      <dt className="text-sm text-ink-2">{name}</dt>
      <dd className="text-lg font-semibold">{children}</dd>
      {note && <dd className="text-sm text-ink-2">{note}</dd>}
    </div>
  );
}

const link = "underline decoration-line-2 underline-offset-4 hover:decoration-current";

/** The bot's money, realised and unrealised apart; each sum opens to its trades. */
export function BotFigures({ bot }: { bot: Bot }) {
  const price = usePrices((prices) => prices[bot.instrument_id]?.price);
  const { position } = bot;
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,9.5rem),1fr))] gap-3">
      <Figure
        name="Equity"
        note={
          <>
            given <Money value={bot.capital_zar} />
          </>
        }
      >
        <Money value={bot.current_capital} reason={bot.unrealized_reason} />
      </Figure>
      <Figure
        name="Realised"
        note={
          <>
            fees <Money value={bot.total_fees} />
          </>
        }
      >
        <Link to="/trades" search={{ bot_id: bot.id, status: "closed" }} className={link}>
          <Money value={bot.realized_profit} result />
          <span className="sr-only">, open its trades</span>
        </Link>
      </Figure>
      <Figure
        name="Unrealised"
        unsettled
        note={
          position ? (
            <>
              marked <Ago at={position.marked_at} />
            </>
          ) : (
            "no open position"
          )
        }
      >
        <Money value={bot.unrealized_profit} result reason={bot.unrealized_reason} />
      </Figure>
      <Figure name="Today" note={`${bot.trades_today} ${bot.trades_today === 1 ? "trade" : "trades"} today`}>
        <Money value={bot.profit_today} result />
      </Figure>
      <Figure
        name="Won"
        note={`${bot.winning_trades} of ${bot.total_trades} ${bot.total_trades === 1 ? "trade" : "trades"}`}
      >
        <Percent value={bot.win_rate} places={0} reason="No trade has closed yet." />
      </Figure>
      <Figure
        name="Position"
        unsettled={position !== null}
        note={
          position ? (
            <>
              bought at <Quantity value={position.average_price} />
            </>
          ) : (
            <>
              price{" "}
              {price ? (
                <Quantity value={price} />
              ) : (
                <Unknown reason="No price has arrived since this page opened." />
              )}
            </>
          )
        }
      >
        {position ? <Quantity value={position.quantity} asset={bot.pair.split("/")[0] ?? ""} /> : "None"}
      </Figure>
    </dl>
  );
}
