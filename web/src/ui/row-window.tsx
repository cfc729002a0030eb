import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useState } from "react";

interface RowWindowOptions {
  /** Height of a row before it is measured. */
  rowHeight: number;
  /** Fewer rows than this are all in the document, so that the browser's own search finds them. */
  from: number;
  /** Called as the last rows come near; absent while nothing more can be asked for. */
  onEnd?: (() => void) | undefined;
}

interface RowWindow<T> {
  rows: { item: T; index: number }[];
  /** Pixels of the rows that are not in the document. */
  before: number;
  after: number;
  /** For rows that open: a ref that measures them. They need `data-index`. */
  measure: (element: Element | null) => void;
}

const OVERSCAN = 12;
const NEAR_END = 40;

/**
 * The rows in view of the page's own scroll: however many there are, only some dozens are in the
 * document. `box` is what the rows are in.
 */
export function useRowWindow<T>(
  items: readonly T[],
  box: RefObject<HTMLElement | null>,
  { rowHeight, from, onEnd }: RowWindowOptions,
): RowWindow<T> {
  const [top, setTop] = useState(0);
  // What stands above can come and go, so the place is taken anew with each change.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the items are the trigger.
  useLayoutEffect(() => {
    if (box.current) setTop(box.current.getBoundingClientRect().top + window.scrollY);
  }, [box, items]);
  const virtual = items.length > from;
  const virtualizer = useWindowVirtualizer({
    count: virtual ? items.length : 0,
    estimateSize: () => rowHeight,
    scrollMargin: top,
    overscan: OVERSCAN,
    // The observer's own box is empty for a table's body.
    measureElement: (element) => element.getBoundingClientRect().height,
  });
  const shown = virtualizer.getVirtualItems();
  const first = shown[0];
  const last = shown.at(-1);
  const end = virtual ? (last?.index ?? 0) : items.length - 1;
  const near = items.length > 0 && end >= items.length - NEAR_END;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that was too short asks for the next.
  useLayoutEffect(() => {
    if (near) onEnd?.();
  }, [near, onEnd, items.length]);
  if (!virtual || !first || !last) {
    const rows = items.slice(0, Math.max(from, 1)).map((item, index) => ({ item, index }));
    return { rows, before: 0, after: 0, measure: () => undefined };
  }
  return {
    rows: items
      .slice(first.index, last.index + 1)
      .map((item, place) => ({ item, index: first.index + place })),
    before: first.start - top,
    after: virtualizer.getTotalSize() - (last.end - top),
    measure: virtualizer.measureElement,
  };
}

/** The height of the rows that are not in the document, within a table. */
export function RowSpacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tbody aria-hidden>
      <tr>
        <td className="border-0! p-0!" style={{ height }} />
      </tr>
    </tbody>
  );
}
