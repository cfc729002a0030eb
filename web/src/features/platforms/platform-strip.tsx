import { useQuery } from "@tanstack/react-query";
import type { TradingMode } from "@/api/models";
import { platformsQuery } from "@/api/queries";
import { Failed } from "@/ui/failed";
import { PlatformCards } from "./platform-cards";

const FIVE = ["luno", "binance", "kucoin", "ovex", "valr"];

/** The platform cards in their states: placeholders of the same size while they load. */
export function PlatformStrip({ mode, full = false }: { mode: TradingMode; full?: boolean }) {
  const query = useQuery(platformsQuery(mode));
  if (query.data) return <PlatformCards platforms={query.data.platforms} mode={mode} full={full} />;
  if (query.error) {
    return (
      <div className="panel">
        <Failed what="the platforms" error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  return (
    <div
      role="status"
      aria-label="Loading the platforms"
      className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,10rem),1fr))] gap-3"
    >
      {FIVE.map((platform) => (
        <div key={platform} className={full ? "panel h-40 p-3" : "panel h-26 p-3"}>
          <div className="skeleton h-5 w-20" />
        </div>
      ))}
    </div>
  );
}
