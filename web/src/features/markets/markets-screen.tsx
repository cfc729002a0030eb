import { useQuery } from "@tanstack/react-query";
import type { Bot, Instrument } from "@/api/models";
import { botsQuery, instrumentsQuery } from "@/api/queries";
import type { MarketsSearch } from "@/routes/_app.markets";
import { PageHead, Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { MarketPanel } from "./market-panel";
import { Watchlist } from "./watchlist";

interface MarketsScreenProps {
  search: MarketsSearch;
  onSearch: (search: MarketsSearch) => void;
}

const NO_BOTS: Bot[] = [];

/** What the market does, and whether our data of it is good. */
export function MarketsScreen({ search, onSearch }: MarketsScreenProps) {
  const instruments = useQuery(instrumentsQuery);
  const bots = useQuery(botsQuery).data ?? NO_BOTS;
  const shown = (all: Instrument[]) =>
    all.find(({ id }) => id === search.instrument) ??
    all.find(({ id }) => bots.some((bot) => bot.instrument_id === id)) ??
    all[0];
  return (
    <>
      <PageHead title="Markets" />
      <Loaded query={instruments} what="the markets" rows={8}>
        {(all) => {
          const one = shown(all);
          if (!one) {
            return (
              <div className="panel">
                <Empty>
                  No market is known yet. The list fills when the engine reaches a platform or the sandbox
                  market runs.
                </Empty>
              </div>
            );
          }
          return (
            <div className="grid items-start gap-4 xl:grid-cols-2">
              <Panel title="Watchlist" className="xl:order-1">
                <Watchlist
                  instruments={all}
                  bots={bots}
                  shown={one.id}
                  onShow={(instrument) => onSearch({ ...search, instrument })}
                />
              </Panel>
              <div className="max-xl:order-first xl:sticky xl:top-14 xl:order-2">
                <MarketPanel
                  key={one.id}
                  instrument={one}
                  bots={bots.filter((bot) => bot.instrument_id === one.id)}
                  timeframe={search.timeframe ?? "1h"}
                  onTimeframe={(timeframe) => onSearch({ ...search, timeframe })}
                />
              </div>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
