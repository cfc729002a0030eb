import type { LedgerEntry } from "@/api/models";
import { Moment } from "@/ui/age";
import { Quantity } from "@/ui/money";

/** One entry: its postings add up to zero in each asset; its hash chains it to the one before. */
export function Entry({ entry }: { entry: LedgerEntry }) {
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
