import { clsx } from "clsx";
import type { Bot, Instrument } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { FeedStatus } from "@/features/platforms/feed-status";
import { placesOf } from "@/fmt/money";
import { usePrices } from "@/live/prices";
import { OriginChip } from "@/ui/chip";
import { Quantity } from "@/ui/money";
import { ScrollRegion } from "@/ui/scroll-region";

interface WatchlistProps {
  instruments: Instrument[];
  bots: Bot[];
  shown: string;
  onShow: (instrument: string) => void;
}

export function Watchlist({ instruments, bots, shown, onShow }: WatchlistProps) {
  const sorted = [...instruments].sort(
    (a, b) => a.platform.localeCompare(b.platform) || a.pair.localeCompare(b.pair),
  );
  return (
    <ScrollRegion label="Watchlist">
      <table className="ledger">
        <thead>
          <tr>
            <th scope="col">Market</th>
            <th scope="col" className="num">
              Price
            </th>
            <th scope="col">Feed</th>
            <th scope="col" className="num">
              My bots
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((instrument) => (
            <tr
              key={instrument.id}
              className={clsx(instrument.id === shown && "bg-s3")}
              aria-current={instrument.id === shown || undefined}
            >
              <td className="whitespace-nowrap">
                <button
                  type="button"
                  className="font-medium hover:underline"
                  onClick={() => onShow(instrument.id)}
                >
                  {instrument.pair}
                </button>{" "}
                <span className="text-ink-2">{PLATFORM_NAMES[instrument.platform]}</span>{" "}
                <OriginChip origin={instrument.origin} />
              </td>
              <td className="num">
                <LivePrice instrument={instrument} />
              </td>
              <td className="text-sm text-ink-2">
                <FeedStatus state={instrument.feed.state} ageSeconds={instrument.feed.age_s} />
              </td>
              <td className="num">{bots.filter((bot) => bot.instrument_id === instrument.id).length}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** The last price: the socket's when one has come, else the one of the list. */
export function LivePrice({ instrument }: { instrument: Instrument }) {
  const tick = usePrices((prices) => prices[instrument.id]);
  const places = placesOf(instrument.tick_size);
  return (
    <Quantity
      value={tick?.price ?? instrument.price}
      minPlaces={places}
      maxPlaces={Math.max(places, 2)}
      reason={instrument.feed.message || "No price has arrived yet."}
    />
  );
}
