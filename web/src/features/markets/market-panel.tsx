import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Bot, Instrument } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { CandleChart } from "@/features/charts/candle-chart";
import type { Level, Marker } from "@/features/charts/series";
import { isPlainKey } from "@/features/frame/shortcuts";
import { placesOf } from "@/fmt/money";
import { Ago } from "@/ui/age";
import { OriginChip } from "@/ui/chip";
import { Partial } from "@/ui/failed";
import { Percent, Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { Segmented } from "@/ui/segmented";
import { LivePrice } from "./watchlist";

const FRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"].map((value) => ({ value, label: value }));
const FRAME_KEYS: Record<string, string> = { "1": "1m", "5": "5m", h: "1h", "4": "4h", d: "1d" };
const NO_MARKERS: Marker[] = [];
const NO_LEVELS: Level[] = [];

interface MarketPanelProps {
  instrument: Instrument;
  bots: Bot[];
  timeframe: string;
  onTimeframe: (timeframe: string) => void;
}

/** One market: its candles, its rules, the quality of our data, and our bots in it. */
export function MarketPanel({ instrument, bots, timeframe, onTimeframe }: MarketPanelProps) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const frame = FRAME_KEYS[event.key];
      if (!frame || event.key === "h" || !isPlainKey(event)) return;
      onTimeframe(frame);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [onTimeframe]);
  const { feed } = instrument;
  return (
    <Panel
      title={`${instrument.pair} on ${PLATFORM_NAMES[instrument.platform]}`}
      note={
        <span className="flex items-center gap-2">
          <strong className="font-semibold text-ink">
            <LivePrice instrument={instrument} />
          </strong>
          <OriginChip origin={instrument.origin} />
        </span>
      }
      actions={<Segmented label="Bar" value={timeframe} options={FRAMES} onChange={onTimeframe} />}
    >
      {feed.state !== "live" && (
        <div className="px-4 pb-2">
          <Partial>{feed.message || `The feed is ${feed.state}.`}</Partial>
        </div>
      )}
      <CandleChart
        instrumentId={instrument.id}
        timeframe={timeframe}
        places={placesOf(instrument.tick_size)}
        height={340}
        markers={NO_MARKERS}
        levels={NO_LEVELS}
      />
      <dl className="grid grid-cols-2 gap-x-6 gap-y-1 border-t border-line px-4 py-3 text-sm sm:grid-cols-3 [&_dt]:text-ink-2">
        <div>
          <dt>Last price arrived</dt>
          <dd>
            <Ago at={feed.last_received_at} reason="No price has arrived yet." />
          </dd>
        </div>
        <div>
          <dt>Fee, taker / maker</dt>
          <dd title={instrument.fee_source}>
            <Percent value={instrument.taker_fee_percent} /> /{" "}
            <Percent value={instrument.maker_fee_percent} />
          </dd>
        </div>
        <div>
          <dt>Smallest order</dt>
          <dd>
            <Quantity value={instrument.min_notional} asset={instrument.quote} />
          </dd>
        </div>
        <div>
          <dt>Price step</dt>
          <dd>
            <Quantity value={instrument.tick_size} asset={instrument.quote} />
          </dd>
        </div>
        <div>
          <dt>Quantity step</dt>
          <dd>
            <Quantity value={instrument.lot_size} asset={instrument.base} />
          </dd>
        </div>
        <div>
          <dt>My bots here</dt>
          <dd className="flex flex-wrap gap-x-2">
            {bots.length === 0 && "none"}
            {bots.map((bot) => (
              <Link key={bot.id} to="/bots/$botId" params={{ botId: bot.id }} className="link">
                {bot.name}
              </Link>
            ))}
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
