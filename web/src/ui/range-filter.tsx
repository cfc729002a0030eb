import type { Range } from "@/api/models";
import { Segmented } from "./segmented";

const OPTIONS = [
  { value: "day", label: "24 h" },
  { value: "week", label: "7 d" },
  { value: "month", label: "30 d" },
  { value: "year", label: "1 y" },
  { value: "all", label: "All" },
] as const;

export function RangeFilter({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  return <Segmented label="Range" value={range} options={OPTIONS} onChange={onChange} />;
}
