import { ScrollRegion } from "@/ui/scroll-region";
import type { Row } from "./series";

interface ChartTableProps {
  label: string;
  heads: string[];
  rows: Row[];
  height: number;
  formatTime: (time: number) => string;
}

/** The chart's figures, newest first, in the chart's place and size. */
export default function ChartTable({ label, heads, rows, height, formatTime }: ChartTableProps) {
  return (
    <ScrollRegion label={label} className="overflow-y-auto rounded-sm border border-line" height={height}>
      <table className="ledger">
        <thead className="sticky top-0 bg-s2">
          <tr>
            <th scope="col">Time</th>
            {heads.map((head) => (
              <th key={head} scope="col" className="num">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...rows].reverse().map((row) => (
            <tr key={row.time}>
              <td className="whitespace-nowrap">{formatTime(row.time)}</td>
              {row.cells.map((cell, column) => (
                <td key={heads[column]} className="num">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
