import { useState } from "react";
import type { ActivityItem } from "@/api/models";

/**
 * A feed that can be held still while one reads: rows that arrived meanwhile are counted and come
 * in on request, so nothing moves under the pointer.
 */
export function useHeldFeed(items: ActivityItem[]) {
  const [heldAt, setHeldAt] = useState<number | null>(null);
  const shown = heldAt === null ? items : items.filter(({ seq }) => seq <= heldAt);
  return {
    shown,
    waiting: items.length - shown.length,
    held: heldAt !== null,
    hold: () => setHeldAt(items[0]?.seq ?? 0),
    release: () => setHeldAt(null),
  };
}
