import { useInfiniteQuery } from "@tanstack/react-query";
import { type EntryFilters, entriesQuery } from "@/api/book-queries";
import { Button } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { Entry } from "./entry";

/** Entries with their postings, newest first; each filter is named when it leaves none. */
export function EntryList({ filters, onClear }: { filters: EntryFilters; onClear: () => void }) {
  const query = useInfiniteQuery(entriesQuery(filters));
  const filtered = Object.values(filters).some(Boolean);
  return (
    <Panel title="Entries" note="each sums to zero in every asset, and is chained to the one before">
      <Loaded query={query} what="the entries" rows={8}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          if (entries.length === 0) {
            return (
              <Empty action={filtered && <Button onClick={onClear}>Clear the filters</Button>}>
                {filtered
                  ? "No entry passes the filters above."
                  : "The book is empty. Its first entry comes when money is put in."}
              </Empty>
            );
          }
          return (
            <ol className="flex flex-col gap-2 px-4 pb-4">
              {entries.map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
            </ol>
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="flex justify-center border-t border-line p-3">
          <Button
            pending={query.isFetchingNextPage && "Loading…"}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show older entries
          </Button>
        </div>
      )}
    </Panel>
  );
}
