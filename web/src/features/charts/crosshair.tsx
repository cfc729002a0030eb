import { createContext, type ReactNode, use, useState } from "react";

type Crosshair = readonly [time: number | null, setTime: (time: number | null) => void];

const Shared = createContext<Crosshair | null>(null);

/** Charts in one group point at the same moment, by pointer and by key. */
export function CrosshairGroup({ children }: { children: ReactNode }) {
  const shared = useState<number | null>(null);
  return <Shared value={shared}>{children}</Shared>;
}

/** The moment that is pointed at, in UTC seconds: the group's, or this chart's own outside a group. */
export function useCrosshair(): Crosshair {
  const own = useState<number | null>(null);
  return use(Shared) ?? own;
}
