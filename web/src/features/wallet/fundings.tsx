import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { entriesQuery } from "@/api/book-queries";
import type { LedgerEntry } from "@/api/models";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";

/** The leg of an entry that came into something of one's own. */
export function incoming({ postings }: Pick<LedgerEntry, "postings">) {
  return postings.find(({ account, amount }) => account.startsWith("holding:") && !amount.startsWith("-"));
}

/** When paper money was put in, newest first. */
export function Fundings() {
  const query = useInfiniteQuery(entriesQuery({ kind: "funding" }));
  return (
    <Panel title="Put in">
      <Loaded query={query} what="the funding history" rows={3}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          if (entries.length === 0) return <Empty>Nothing was put in yet. Each step appears here.</Empty>;
          return (
            <ol>
              {entries.map((entry) => {
                const leg = incoming(entry);
                return (
                  <li
                    key={entry.id}
                    className="flex flex-wrap items-baseline justify-between gap-x-4 border-t border-line px-4 py-2"
                  >
                    <Moment at={entry.effective_at} />
                    <Link to="/ledger" search={{ kind: "funding" }} className="text-ink-2 hover:underline">
                      entry #{entry.seq}
                    </Link>
                    <span className="ml-auto font-medium">
                      <Quantity value={leg?.amount} minPlaces={2} asset={leg?.asset ?? ""} />
                    </span>
                  </li>
                );
              })}
            </ol>
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="border-t border-line p-3">
          <Button
            pending={query.isFetchingNextPage && "Loading…"}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show earlier ones
          </Button>
        </div>
      )}
    </Panel>
  );
}
