import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from "react";
import type { Bot } from "@/api/models";
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
  const { rows, before, after } = useWindow(bots, box);
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
        <tbody>
          <Spacer height={before} />
          {rows.map((bot) => (
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
          <Spacer height={after} />
        </tbody>
        {footer}
      </table>
    </ScrollRegion>
  );
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td className="border-0! p-0!" style={{ height }} />
    </tr>
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

/** The rows in view of the page's own scroll, and the space above and below them. */
function useWindow(bots: Bot[], box: RefObject<HTMLDivElement | null>) {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (box.current) setTop(box.current.getBoundingClientRect().top + window.scrollY);
  }, [box]);
  const compact = document.documentElement.dataset.density === "compact";
  const virtual = bots.length > VIRTUAL_FROM;
  const virtualizer = useWindowVirtualizer({
    count: virtual ? bots.length : 0,
    estimateSize: () => (compact ? ROW_HEIGHT.compact : ROW_HEIGHT.comfortable),
    scrollMargin: top,
    overscan: 12,
  });
  if (!virtual) return { rows: bots, before: 0, after: 0 };
  const items = virtualizer.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  if (!first || !last) return { rows: bots.slice(0, 40), before: 0, after: 0 };
  return {
    rows: bots.slice(first.index, last.index + 1),
    before: first.start - top,
    after: virtualizer.getTotalSize() - (last.end - top),
  };
}
