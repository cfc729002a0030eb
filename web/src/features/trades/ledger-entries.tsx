import { useQuery } from "@tanstack/react-query";
import { ledgerQuery } from "@/api/book-queries";
import { Entry } from "@/features/ledger/entry";
import { Empty, Loaded } from "@/ui/state";

/** The double entry behind a trade: every posting, each entry summing to zero per asset. */
export function LedgerEntries({ tradeId }: { tradeId: string }) {
  const query = useQuery(ledgerQuery({ trade_id: tradeId }));
  return (
    <Loaded query={query} what="the ledger entries" rows={3}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>No ledger entry refers to this trade yet. One is booked with each fill.</Empty>
        ) : (
          <ol className="flex flex-col gap-2">
            {items.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}
