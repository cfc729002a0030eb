import type { LedgerAccount } from "@/api/models";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty } from "@/ui/state";
import { AccountLink } from "./account-name";

/** Every account and what it holds; each opens its statement. */
export function AccountTable({ accounts, shown }: { accounts: LedgerAccount[]; shown: string }) {
  return (
    <Panel title="Accounts" note="below zero: it gave">
      {accounts.length === 0 ? (
        <Empty>No account holds anything yet. The first does when money is put in.</Empty>
      ) : (
        <ScrollRegion label="Accounts" className="overflow-y-auto" maxHeight={560}>
          <table className="ledger">
            <thead className="sticky top-0 bg-s1">
              <tr>
                <th scope="col">Account</th>
                <th scope="col" className="num">
                  Holds
                </th>
              </tr>
            </thead>
            <tbody>
              {accounts.map((line) => (
                <tr
                  key={`${line.account} ${line.asset}`}
                  aria-current={shown === `${line.account} ${line.asset}` || undefined}
                  className="aria-[current=true]:bg-s3"
                >
                  <td>
                    <AccountLink line={line} />
                  </td>
                  <td className="num">
                    <Quantity value={line.amount} asset={line.asset} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </Panel>
  );
}
