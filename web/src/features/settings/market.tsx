import { useQuery } from "@tanstack/react-query";
import { instrumentsQuery, sourceQuery } from "@/api/queries";
import { MarketSwitch } from "@/features/onboarding/market-switch";
import { OriginChip } from "@/ui/chip";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";

/** Which market the bots see, and the way to the other one. */
export function MarketSettings() {
  const instruments = useQuery(instrumentsQuery);
  const { data: source } = useQuery(sourceQuery);
  return (
    <Panel title="Market">
      <Loaded query={instruments} what="the markets" rows={1}>
        {(all) => {
          const origin = all[0]?.origin ?? "live";
          return (
            <div className="flex flex-col gap-3 px-4 pb-4">
              <p className="flex flex-wrap items-center gap-2">
                <OriginChip origin={origin} />
                {source === "sandbox" && "Bots see the sandbox market: made up and repeatable."}
                {source === "live" &&
                  (origin === "synthetic"
                    ? "Bots see the servers that the settings put in the exchanges' place."
                    : "Bots see the exchanges' own public prices.")}
              </p>
              {source && <MarketSwitch to={source === "sandbox" ? "live" : "sandbox"} />}
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
