import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { useState } from "react";
import { tradeQuery } from "@/api/book-queries";
import type { Fill, Trade } from "@/api/models";
import { Moment } from "@/ui/age";
import { Button, buttonClass } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Money, Quantity } from "@/ui/money";
import { ScrollRegion } from "@/ui/scroll-region";
import { Loaded } from "@/ui/state";
import { Unknown } from "@/ui/unknown";
import { LedgerEntries } from "./ledger-entries";

/** The fills of a round trip, its sum in both currencies, and the ledger entries behind it. */
export function TradeDetail({ tradeId }: { tradeId: string }) {
  const query = useQuery(tradeQuery(tradeId));
  const [ledger, setLedger] = useState(false);
  return (
    <Loaded query={query} what="the fills" rows={2}>
      {({ trade, fills }) => (
        <div className="flex flex-col gap-3 px-4 py-3">
          <Fills fills={fills} />
          <Sum trade={trade} />
          <div className="flex flex-wrap gap-2">
            <Button aria-expanded={ledger} className="min-h-8! text-sm" onClick={() => setLedger(!ledger)}>
              {ledger ? "Hide the ledger entries" : "Show the ledger entries"}
            </Button>
            <Link
              to="/bots/$botId"
              params={{ botId: trade.bot_id }}
              search={{ tab: "decisions" }}
              className={clsx(buttonClass(), "min-h-8! text-sm")}
            >
              What the bot decided
            </Link>
            <CopyButton text={trade.id} what="the trade's id" />
          </div>
          {ledger && <LedgerEntries tradeId={tradeId} />}
        </div>
      )}
    </Loaded>
  );
}

const HEADS = ["Quantity", "Price", "Notional", "Fee"];

function Fills({ fills }: { fills: Fill[] }) {
  return (
    <ScrollRegion label="Fills" className="rounded-md border border-line bg-s1">
      <table className="ledger">
        <thead>
          <tr>
            <th scope="col">Executed</th>
            <th scope="col">Side</th>
            {HEADS.map((head) => (
              <th key={head} scope="col" className="num">
                {head}
              </th>
            ))}
            <th scope="col">Rand rate</th>
          </tr>
        </thead>
        <tbody>
          {fills.map((fill) => (
            <tr key={fill.id}>
              <td>
                <Moment at={fill.executed_at} />
              </td>
              <td className="whitespace-nowrap">
                {fill.side} <span className="text-ink-2">{fill.liquidity}</span>
              </td>
              <td className="num">
                <Quantity value={fill.quantity} />
              </td>
              <td className="num">
                <Quantity value={fill.price} />
              </td>
              <td className="num">
                <Quantity value={fill.notional} maxPlaces={4} />
              </td>
              <td className="num">
                <Quantity value={fill.fee_amount} asset={fill.fee_asset} />
              </td>
              <td className="whitespace-nowrap text-ink-2">
                <Rate rate={fill.zar_rate} source={fill.zar_rate_source} at={fill.zar_rate_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Rate({ rate, source, at }: { rate: string | null; source: string | null; at: string | null }) {
  if (rate === null) return <Unknown reason="No rand rate was known at that time." />;
  return (
    <>
      <Quantity value={rate} /> {source}
      {at && (
        <>
          , <Moment at={at} />
        </>
      )}
    </>
  );
}

/** The result in the market's own currency and in rand, with the rate that joins the two. */
function Sum({ trade }: { trade: Trade }) {
  if (trade.status === "open")
    return <p className="text-ink-2">The position is still open, so nothing is realised yet.</p>;
  return (
    <p className="flex flex-wrap gap-x-4 gap-y-1">
      <span>
        Gross <Quantity value={trade.gross_profit} maxPlaces={4} reason="It is not known." />
      </span>
      <span>
        fees <Quantity value={trade.fees} maxPlaces={4} />
      </span>
      <span>
        net{" "}
        <Quantity
          value={trade.profit_loss_quote}
          asset={trade.quote_asset}
          maxPlaces={4}
          reason="It is not known."
        />
      </span>
      {trade.quote_asset !== "ZAR" && (
        <span className="text-ink-2">
          at <Rate rate={trade.zar_rate} source={trade.zar_rate_source} at={trade.zar_rate_at} />
        </span>
      )}
      <strong className="font-semibold">
        <Money value={trade.profit_loss} result reason={trade.zar_reason} />
      </strong>
      {trade.exit_reason && <span className="text-ink-2">closed because: {trade.exit_reason}</span>}
    </p>
  );
}
