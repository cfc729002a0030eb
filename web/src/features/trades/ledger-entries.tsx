import { useQuery } from "@tanstack/react-query";
import type { LedgerEntry } from "@/api/models";
import { ledgerQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Quantity } from "@/ui/money";
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

function Entry({ entry }: { entry: LedgerEntry }) {
  return (
    <li className="rounded-md border border-line bg-s1">
      <p className="flex flex-wrap gap-x-3 border-b border-line px-3 py-1.5">
        <strong className="font-semibold">
          #{entry.seq} {entry.kind.replaceAll("_", " ")}
        </strong>
        <span className="text-ink-2">{entry.description}</span>
        <span className="ml-auto text-sm text-ink-2">
          <Moment at={entry.effective_at} />
        </span>
      </p>
      <ul className="px-3 py-1">
        {entry.postings.map((posting) => (
          <li
            key={`${posting.account} ${posting.asset} ${posting.amount}`}
            className="flex flex-wrap gap-x-3"
          >
            <code className="min-w-0 grow font-mono text-xs leading-5 break-all">{posting.account}</code>
            <Quantity value={posting.amount} asset={posting.asset} />
          </li>
        ))}
      </ul>
      <p className="truncate border-t border-line px-3 py-1 font-mono text-xs text-ink-2" title={entry.hash}>
        {entry.hash}
      </p>
    </li>
  );
}
