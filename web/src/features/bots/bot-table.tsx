import { clsx } from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useRef } from "react";
import type { Bot } from "@/api/models";
import { usePrefs } from "@/fmt/prefs";
import { RowSpacer, useRowWindow } from "@/ui/row-window";
import { ScrollRegion } from "@/ui/scroll-region";
import { BOT_COLUMNS, type BotColumn, type BotColumnId } from "./columns";

const ROW_HEIGHT = { comfortable: 41, compact: 33 };
const VIRTUAL_FROM = 100;

interface BotTableProps {
  label: string;
  bots: Bot[];
  columns: readonly BotColumnId[];
  sort?: string;
  onSort?: (sort: string) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (ids: ReadonlySet<string>) => void;
  /** The row that the keys are on. */
  current?: string | undefined;
  footer?: ReactNode;
}

/** Bots as rows. From a hundred rows on, only those in view are in the document. */
export function BotTable(props: BotTableProps) {
  const { label, bots, columns, selected, onSelect, current, footer } = props;
  const box = useRef<HTMLDivElement>(null);
  const rowHeight = ROW_HEIGHT[usePrefs(({ density }) => density)];
  const { rows, before, after } = useRowWindow(bots, box, { rowHeight, from: VIRTUAL_FROM });
  const all = selected !== undefined && bots.length > 0 && bots.every(({ id }) => selected.has(id));
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  return (
    <ScrollRegion label={label} ref={box}>
      <table className="ledger" aria-rowcount={bots.length + 1}>
        <thead>
          <tr>
            {selected && (
              <th scope="col" className="w-8">
                <input
                  type="checkbox"
                  aria-label="Select all"
                  checked={all}
                  onChange={() => onSelect?.(new Set(all ? [] : bots.map(({ id }) => id)))}
                />
              </th>
            )}
            {columns.map((id) => (
              <Head key={id} id={id} {...props} />
            ))}
          </tr>
        </thead>
        <RowSpacer height={before} />
        <tbody>
          {rows.map(({ item: bot }) => (
            <tr
              key={bot.id}
              data-row={bot.id}
              className={clsx(current === bot.id && "bg-s3")}
              aria-current={current === bot.id || undefined}
            >
              {selected && (
                <td>
                  <input
                    type="checkbox"
                    aria-label={`Select ${bot.name}`}
                    checked={selected.has(bot.id)}
                    onChange={() => toggle(bot.id)}
                  />
                </td>
              )}
              {columns.map((id) => {
                const column: BotColumn = BOT_COLUMNS[id];
                return (
                  <td
                    key={id}
                    className={clsx(
                      column.number && "num",
                      id === "actions" && "num sticky right-0 bg-inherit py-0!",
                    )}
                  >
                    {column.cell(bot)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
        <RowSpacer height={after} />
        {footer}
      </table>
    </ScrollRegion>
  );
}

function Head({ id, sort, onSort }: { id: BotColumnId } & Pick<BotTableProps, "sort" | "onSort">) {
  const column: BotColumn = BOT_COLUMNS[id];
  const side = column.number || id === "actions" ? "num" : "";
  if (!onSort || !column.compare) {
    return (
      <th scope="col" className={side}>
        {id === "actions" ? <span className="sr-only">{column.head}</span> : column.head}
      </th>
    );
  }
  const direction = sort === id ? "ascending" : sort === `-${id}` ? "descending" : "none";
  // Figures are asked for largest first, words from A.
  const next =
    direction === "none" ? (column.number ? `-${id}` : id) : direction === "ascending" ? `-${id}` : id;
  const Arrow = direction === "ascending" ? ArrowUp : ArrowDown;
  return (
    <th scope="col" className={side} aria-sort={direction}>
      <button type="button" className="font-medium hover:text-ink" onClick={() => onSort(next)}>
        {column.head}
        {direction !== "none" && <Arrow aria-hidden className="ml-1 inline size-3.5" />}
      </button>
    </th>
  );
}
