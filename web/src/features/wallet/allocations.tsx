import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { LedgerAccount } from "@/api/models";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";

/** Which bot holds how much of what; each amount opens the bot's statement. */
export function Allocations({ query }: { query: UseQueryResult<LedgerAccount[]> }) {
  return (
    <Panel title="With bots">
      <Loaded query={query} what="what the bots hold" rows={4}>
        {(lines) =>
          lines.length === 0 ? (
            <Empty>No bot holds money. A bot gets its share when it is created.</Empty>
          ) : (
            <ScrollRegion label="What the bots hold" className="overflow-y-auto" maxHeight={420}>
              <table className="ledger">
                <thead className="sticky top-0 bg-s1">
                  <tr>
                    <th scope="col">Bot</th>
                    <th scope="col" className="num">
                      Holds
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {lines.map((line) => (
                    <tr key={`${line.account} ${line.asset}`}>
                      <td>
                        {line.bot_id ? (
                          <Link to="/bots/$botId" params={{ botId: line.bot_id }} className="hover:underline">
                            {line.bot_name}
                          </Link>
                        ) : (
                          line.account
                        )}
                      </td>
                      <td className="num">
                        <Link
                          to="/ledger"
                          search={{ account: line.account, asset: line.asset }}
                          className="hover:underline"
                        >
                          <Quantity value={line.amount} asset={line.asset} />
                        </Link>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          )
        }
      </Loaded>
    </Panel>
  );
}
