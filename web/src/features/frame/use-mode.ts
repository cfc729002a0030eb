import { useQuery } from "@tanstack/react-query";
import type { TradingMode } from "@/api/models";
import { modeQuery } from "@/api/queries";

/** The money that the platform trades with now; what a screen shows unless its address says otherwise. */
export function useCurrentMode(): TradingMode {
  const { data } = useQuery(modeQuery);
  return data?.base ?? "paper";
}
