import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ChevronRight } from "lucide-react";
import { type RefObject, useRef, useState } from "react";
import type { Trade } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { usePrefs } from "@/fmt/prefs";
import { Moment } from "@/ui/age";
import { Chip, OriginChip } from "@/ui/chip";
import { useIsPhone } from "@/ui/media";
import { Money, Percent, Quantity } from "@/ui/money";
import { RowSpacer, useRowWindow } from "@/ui/row-window";
import { ScrollRegion } from "@/ui/scroll-region";
import { TradeDetail } from "./trade-detail";

interface TradeRowsProps {
  label: string;
  trades: Trade[];
  showBot?: boolean;
  /** All that match, where the server has counted them. */
  total?: number | null | undefined;
  /** Asks for the next rows as one comes near the end. */
  onEnd?: (() => void) | undefined;
}

const ROW_HEIGHT = { comfortable: 41, compact: 33 };
const CARD_HEIGHT = 57;
const VIRTUAL_FROM = 60;

/** Round trips; each opens to its fills, and those to their ledger entries. */
export function TradeRows({ label, trades, showBot = true, total, onEnd }: TradeRowsProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const phone = useIsPhone();
  const box = useRef<HTMLDivElement>(null);
  const density = usePrefs((prefs) => prefs.density);
  const rowHeight = phone ? CARD_HEIGHT : ROW_HEIGHT[density];
  const view = useRowWindow(trades, box, { rowHeight, from: VIRTUAL_FROM, onEnd });
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  if (phone) return <TradeCards box={box} view={view} open={open} onToggle={toggle} />;
  const columns = showBot ? 10 : 9;
  return (
    <ScrollRegion label={label} ref={box}>
      <table className="ledger" aria-rowcount={(total ?? -2) + 1}>
        <thead>
          <tr>
            <th scope="col" className="w-8">
              <span className="sr-only">Fills</span>
            </th>
            <th scope="col">Closed</th>
            {showBot && <th scope="col">Bot</th>}
            <th scope="col">Market</th>
            <th scope="col" className="num">
              Quantity
            </th>
            <th scope="col" className="num">
              Entry
            </th>
            <th scope="col" className="num">
              Exit
            </th>
            <th scope="col" className="num">
              Fees
            </th>
            <th scope="col" className="num">
              Result, net
            </th>
            <th scope="col" className="num">
              %
            </th>
          </tr>
        </thead>
        <RowSpacer height={view.before} />
        {/* A body for each trade: it and what it opens to are measured as one. */}
        {view.rows.map(({ item: trade, index }) => (
          <tbody key={trade.id} data-index={index} ref={view.measure}>
            <TradeRow
              trade={trade}
              place={index + 2}
              showBot={showBot}
              open={open.has(trade.id)}
              onToggle={() => toggle(trade.id)}
            />
            {open.has(trade.id) && (
              <tr>
                <td colSpan={columns} className="bg-s2 p-0!">
                  <TradeDetail tradeId={trade.id} />
                </td>
              </tr>
            )}
          </tbody>
        ))}
        <RowSpacer height={view.after} />
      </table>
    </ScrollRegion>
  );
}

interface TradeRowProps {
  trade: Trade;
  /** Its row among all of the list, the heads being the first. */
  place: number;
  showBot: boolean;
  open: boolean;
  onToggle: () => void;
}

const OPEN_REASON = "The position is still open.";

function TradeRow({ trade, place, showBot, open, onToggle }: TradeRowProps) {
  const closed = trade.status === "closed";
  return (
    <tr data-trade={trade.id} aria-rowindex={place}>
      <td className="py-0!">
        <button
          type="button"
          aria-expanded={open}
          aria-label={`Fills of the trade in ${trade.pair} by ${trade.bot_name}`}
          onClick={onToggle}
          className="flex size-8 items-center justify-center rounded-md hover:bg-s3"
        >
          <ChevronRight aria-hidden className={clsx("size-4", open && "rotate-90")} />
        </button>
      </td>
      <td>{closed ? <Moment at={trade.closed_at} /> : <Chip>open</Chip>}</td>
      {showBot && (
        <td>
          <Link
            to="/bots/$botId"
            params={{ botId: trade.bot_id }}
            className="whitespace-nowrap hover:underline"
          >
            {trade.bot_name}
          </Link>
        </td>
      )}
      <td className="whitespace-nowrap">
        {trade.pair} <span className="text-ink-2">{PLATFORM_NAMES[trade.platform]}</span>{" "}
        <OriginChip origin={trade.origin} />
      </td>
      <td className="num">
        <Quantity value={trade.quantity} />
      </td>
      <td className="num">
        <Quantity value={trade.entry_price} />
      </td>
      <td className="num">
        <Quantity value={trade.exit_price} reason={OPEN_REASON} />
      </td>
      <td className="num">
        <Quantity value={trade.fees} maxPlaces={4} />
      </td>
      <td className="num">
        <Money value={trade.profit_loss} result reason={closed ? trade.zar_reason : OPEN_REASON} />
      </td>
      <td className="num">
        <Percent value={trade.profit_percent} result reason={OPEN_REASON} />
      </td>
    </tr>
  );
}

interface TradeCardsProps {
  box: RefObject<HTMLDivElement | null>;
  view: ReturnType<typeof useRowWindow<Trade>>;
  open: ReadonlySet<string>;
  onToggle: (id: string) => void;
}

function TradeCards({ box, view, open, onToggle }: TradeCardsProps) {
  return (
    <div ref={box} style={{ paddingTop: view.before, paddingBottom: view.after }}>
      <ul>
        {view.rows.map(({ item: trade, index }) => (
          <li
            key={trade.id}
            data-trade={trade.id}
            data-index={index}
            ref={view.measure}
            className="border-b border-line last:border-0"
          >
            <button
              type="button"
              aria-expanded={open.has(trade.id)}
              onClick={() => onToggle(trade.id)}
              className="flex min-h-14 w-full flex-wrap items-center gap-3 px-4 py-2 text-left -outline-offset-2!"
            >
              <span className="min-w-0 grow">
                <span className="block truncate font-medium">
                  {trade.pair} · {trade.bot_name}
                </span>
                <span className="block text-sm text-ink-2">
                  {trade.status === "open" ? "open" : <Moment at={trade.closed_at} />}{" "}
                  <OriginChip origin={trade.origin} />
                </span>
              </span>
              {trade.status === "open" ? (
                <span className="text-ink-2">open</span>
              ) : (
                <Money value={trade.profit_loss} result reason={trade.zar_reason} />
              )}
            </button>
            {open.has(trade.id) && (
              <div className="bg-s2">
                <TradeDetail tradeId={trade.id} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
