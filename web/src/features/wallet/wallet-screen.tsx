import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { accountsQuery } from "@/api/book-queries";
import { walletQuery } from "@/api/queries";
import { Button } from "@/ui/button";
import { PageHead } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { Allocations } from "./allocations";
import { WalletAssets } from "./assets";
import { Conversions } from "./conversions";
import { FundWallet } from "./fund-wallet";
import { Fundings } from "./fundings";

/** The paper wallet: what there is, what is free, which bot has what, and how it came here. */
export function WalletScreen() {
  const wallet = useQuery(walletQuery);
  const allocations = useQuery(accountsQuery("holding:bot:", "paper"));
  const [funding, setFunding] = useState(false);
  return (
    <>
      <PageHead
        title="Paper wallet"
        note="pretend money; every figure opens its ledger entries"
        actions={
          <Button aria-expanded={funding} onClick={() => setFunding(!funding)}>
            Add paper money
          </Button>
        }
      />
      {funding && <FundWallet onDone={() => setFunding(false)} />}
      <Loaded query={wallet} what="the paper wallet" rows={4}>
        {(data) => <WalletAssets wallet={data} />}
      </Loaded>
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <Allocations query={allocations} />
        <Fundings />
      </div>
      <Conversions />
    </>
  );
}
