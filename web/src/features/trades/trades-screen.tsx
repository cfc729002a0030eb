import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { keys } from "@/api/keys";
import { type TradeFilters, tradesQuery } from "@/api/queries";
import { useArrivals } from "@/live/arrivals";
import { Button } from "@/ui/button";
import { PageHead } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { FilterChips } from "./filter-chips";
import { TradeFilterBar } from "./trade-filter-bar";
import { useTradeKeys } from "./trade-keys";
import { TradeRows } from "./trade-rows";

interface TradesScreenProps {
  filters: TradeFilters;
  onFilters: (filters: TradeFilters) => void;
}

/** Every round trip, filtered and sorted by the server, each down to its fills. */
export function TradesScreen({ filters, onFilters }: TradesScreenProps) {
  const query = useInfiniteQuery(tradesQuery(filters));
  const client = useQueryClient();
  const arrived = useArrivals(({ trades }) => trades);
  useTradeKeys();
  // What arrived before this table was read is already in it.
  useEffect(() => useArrivals.setState({ trades: 0 }), []);
  const showNew = () => {
    useArrivals.setState({ trades: 0 });
    void client.resetQueries({ queryKey: keys.trades });
  };
  const total = query.data?.pages[0]?.total;
  return (
    <>
      <PageHead title="Trades" note={total !== undefined && `${total} round trips`} />
      <TradeFilterBar filters={filters} onFilters={onFilters} />
      <FilterChips filters={filters} onFilters={onFilters} />
      {arrived > 0 && (
        <Button className="self-center" onClick={showNew}>
          {arrived === 1 ? "1 new trade event: show" : `${arrived} new trade events: show`}
        </Button>
      )}
      <section aria-label="Trades" className="panel min-w-0">
        <Loaded query={query} what="the trades" rows={10}>
          {({ pages }) => {
            const trades = pages.flatMap(({ items }) => items);
            if (trades.length > 0) return <TradeRows label="Round trips" trades={trades} />;
            return <NoTrades filters={filters} onFilters={onFilters} />;
          }}
        </Loaded>
        {query.hasNextPage && (
          <More
            pending={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage({ cancelRefetch: false })}
          />
        )}
      </section>
    </>
  );
}

function NoTrades({ filters, onFilters }: TradesScreenProps) {
  const names = Object.keys(filters).filter((name) => name !== "sort");
  if (names.length === 0) {
    return (
      <Empty>
        No trades yet. A round trip appears here with its first fill, and its result when it closes.
      </Empty>
    );
  }
  return (
    <Empty action={<Button onClick={() => onFilters({})}>Clear the filters</Button>}>
      No trade passes the {names.length === 1 ? "filter" : "filters"} on{" "}
      {names.map((name) => name.replace("_id", "")).join(", ")}.
    </Empty>
  );
}

/** Loads the next rows as one comes near the end; the button does the same for keys and readers. */
function More({ pending, onMore }: { pending: boolean; onMore: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    if (!end.current) return;
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && more.current(), {
      rootMargin: "600px",
    });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <div ref={end} className="flex justify-center border-t border-line p-3">
      <Button pending={pending && "Loading…"} onClick={onMore}>
        Show more
      </Button>
    </div>
  );
}
