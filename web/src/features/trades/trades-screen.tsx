import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useCallback, useEffect } from "react";
import { type TradeFilters, tradesQuery } from "@/api/book-queries";
import { withQuery } from "@/api/client";
import { keys } from "@/api/keys";
import { BookTabs } from "@/features/ledger/book-tabs";
import { describeArrivals, takeArrivals, useArrivals } from "@/live/arrivals";
import { Button, buttonClass } from "@/ui/button";
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
  const arrived = useArrivals(({ trades }) => trades.size);
  useTradeKeys();
  // What arrived before this table was read is already in it.
  useEffect(takeArrivals, []);
  const showNew = () => {
    takeArrivals();
    void client.resetQueries({ queryKey: keys.trades });
  };
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  // A request while another is under way would be dropped, so the end is only watched in between.
  const onEnd = hasNextPage && !isFetching ? more : undefined;
  const total = query.data?.pages[0]?.total;
  return (
    <>
      <PageHead
        title="Trades"
        note={total != null && `${total} round trips`}
        actions={
          <a href={withQuery("/api/trades/export", { ...filters })} download className={buttonClass()}>
            <Download aria-hidden className="size-4" />
            Save all as CSV
          </a>
        }
      />
      <BookTabs />
      <TradeFilterBar filters={filters} onFilters={onFilters} />
      <FilterChips filters={filters} onFilters={onFilters} />
      {arrived > 0 && (
        <Button className="self-center" onClick={showNew}>
          {describeArrivals(arrived)}: show
        </Button>
      )}
      <section aria-label="Trades" className="panel min-w-0">
        <Loaded query={query} what="the trades" rows={10}>
          {({ pages }) => {
            const trades = pages.flatMap(({ items }) => items);
            if (trades.length > 0)
              return <TradeRows label="Round trips" trades={trades} total={total} onEnd={onEnd} />;
            return <NoTrades filters={filters} onFilters={onFilters} />;
          }}
        </Loaded>
        {query.hasNextPage && (
          <div className="flex justify-center border-t border-line p-3">
            <Button pending={query.isFetchingNextPage && "Loading…"} onClick={more}>
              Show more
            </Button>
          </div>
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
