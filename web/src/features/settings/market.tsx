import { useQuery } from "@tanstack/react-query";
import { instrumentsQuery } from "@/api/queries";
import { MarketSwitch } from "@/features/onboarding/market-switch";
import { OriginChip } from "@/ui/chip";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";

/** Which market the bots see, and the way to the other one. */
export function MarketSettings() {
  const instruments = useQuery(instrumentsQuery);
  return (
    <Panel title="Market">
      <Loaded query={instruments} what="the markets" rows={1}>
        {(all) => {
          const origin = all[0]?.origin ?? "live";
          return (
            <div className="flex flex-col gap-3 px-4 pb-4">
              <p className="flex flex-wrap items-center gap-2">
                <OriginChip origin={origin} />
                {origin === "synthetic"
                  ? "Bots see the sandbox market: made up and repeatable."
                  : "Bots see the exchanges' own public prices."}
              </p>
              <MarketSwitch to={origin === "synthetic" ? "live" : "sandbox"} />
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
