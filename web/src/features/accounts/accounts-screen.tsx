import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { liveAccountsQuery } from "@/api/book-queries";
import type { LiveAccounts } from "@/api/models";
import { PageHead, Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { AccountPanel } from "./account-panel";
import { DifferenceList } from "./difference-list";
import { DoubtfulOrders } from "./doubtful-orders";
import { ExternalOrders } from "./external-orders";

/** The real exchange accounts: what each is trusted for, and what waits for a person. */
export function AccountsScreen() {
  const query = useQuery(liveAccountsQuery);
  return (
    <>
      <PageHead title="Accounts" note="your exchange accounts beside the ledger" />
      <Loaded query={query} what="your accounts" rows={6}>
        {(found) => <Accounts found={found} />}
      </Loaded>
    </>
  );
}

function Accounts({ found }: { found: LiveAccounts }) {
  if (found.accounts.length === 0)
    return (
      <Panel title="No account yet">
        <Empty action={<Link to="/keys">Add a key</Link>}>
          An account appears here once its exchange's key is saved and tested. It is read and compared with
          the ledger from then on, also while bots trade on paper only.
        </Empty>
      </Panel>
    );
  return (
    <>
      <DifferenceList items={found.differences} />
      <DoubtfulOrders items={found.doubtful_orders} />
      {found.accounts.map((account) => (
        <AccountPanel key={account.platform} account={account} />
      ))}
      <ExternalOrders items={found.external_orders} />
    </>
  );
}
