import type { TradingMode } from "@/api/models";
import { Segmented } from "./segmented";

const MODES = [
  { value: "paper", label: "Paper" },
  { value: "live", label: "Live" },
] as const;

/** Paper and live are never summed together, so one of them is always chosen. */
export function ModeFilter({ mode, onChange }: { mode: TradingMode; onChange: (mode: TradingMode) => void }) {
  return <Segmented label="Money" value={mode} options={MODES} onChange={onChange} />;
}
