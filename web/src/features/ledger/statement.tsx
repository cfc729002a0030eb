import { useInfiniteQuery } from "@tanstack/react-query";
import { statementQuery } from "@/api/book-queries";
import type { TradingMode } from "@/api/models";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { accountName } from "./account-name";

interface StatementProps {
  account: string;
  asset: string;
  mode: TradingMode;
  botName: string | null;
}

/** One account, line by line: what came in, what went out, and the balance after it. */
export function Statement({ account, asset, mode, botName }: StatementProps) {
  const query = useInfiniteQuery(statementQuery(account, asset, mode));
  const name = accountName({ account, bot_name: botName });
  return (
    <Panel title={`${name}, ${asset}`} note={<code className="font-mono text-xs">{account}</code>}>
      <Loaded query={query} what="the statement" rows={8}>
        {({ pages }) => {
          const lines = pages.flatMap(({ items }) => items);
          if (lines.length === 0) {
            return (
              <Empty>Nothing has moved on this account in {asset}. Lines appear with its entries.</Empty>
            );
          }
          return (
            <ScrollRegion label={`Statement of ${name} in ${asset}`}>
              <table className="ledger">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Entry</th>
                    <th scope="col" className="num">
                      In (debit)
                    </th>
                    <th scope="col" className="num">
                      Out (credit)
                    </th>
                    <th scope="col" className="num">
                      Balance
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {lines.map((line) => (
                    <tr key={line.entry_id}>
                      <td>
                        <Moment at={line.effective_at} />
                      </td>
                      <td>
                        #{line.seq} {line.kind} <span className="text-ink-2">{line.description}</span>
                      </td>
                      <td className="num">{line.debit && <Quantity value={line.debit} />}</td>
                      <td className="num">{line.credit && <Quantity value={line.credit} />}</td>
                      <td className="num font-medium">
                        <Quantity value={line.balance} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="flex justify-center border-t border-line p-3">
          <Button
            pending={query.isFetchingNextPage && "Loading…"}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show older lines
          </Button>
        </div>
      )}
    </Panel>
  );
}
