import { useQuery } from "@tanstack/react-query";
import type { Range, TradingMode } from "@/api/models";
import { equityQuery } from "@/api/queries";
import { EquityChart } from "@/features/charts/equity-chart";
import { Panel } from "@/ui/panel";
import { RangeFilter } from "@/ui/range-filter";

interface EquityPanelProps {
  mode: TradingMode;
  range: Range;
  onRange: (range: Range) => void;
}

export default function EquityPanel({ mode, range, onRange }: EquityPanelProps) {
  const query = useQuery(equityQuery(mode, range));
  return (
    <Panel
      title="Equity"
      note="against the start of the range"
      actions={<RangeFilter range={range} onChange={onRange} />}
    >
      <EquityChart
        query={query}
        height={220}
        subject={`All ${mode} bots`}
        empty={`The curve begins with the first two points of a ${mode} bot's equity.`}
      />
    </Panel>
  );
}
