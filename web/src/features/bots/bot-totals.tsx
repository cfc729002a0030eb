import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { profitSummaryQuery } from "@/api/queries";
import { useCurrentMode } from "@/features/frame/use-mode";
import { Money, Percent } from "@/ui/money";
import type { BotColumnId } from "./columns";

/** The summary row: the server's own totals, never a sum made here. */
export function BotTotals({ columns }: { columns: readonly BotColumnId[] }) {
  const mode = useCurrentMode();
  const { data } = useQuery(profitSummaryQuery(mode));
  if (!data) return null;
  const cells: Partial<Record<BotColumnId, ReactNode>> = {
    realised: <Money value={data.realized_profit} result />,
    unrealised: <Money value={data.unrealized_profit} result reason={data.unrealized_reason} />,
    today: <Money value={data.profit_today} result />,
    winRate: <Percent value={data.win_rate} places={0} reason="No trade has closed yet." />,
    trades: data.total_trades,
    fees: <Money value={data.total_fees} />,
  };
  const named = columns.findIndex((id) => id in cells);
  if (named < 0) return null;
  return (
    <tfoot>
      <tr>
        {/* One more than the columns before the figures: the selection's. */}
        <td colSpan={named + 1}>All {mode} bots, in rand</td>
        {columns.slice(named).map((id) => (
          <td key={id} className="num">
            {cells[id]}
          </td>
        ))}
      </tr>
    </tfoot>
  );
}
