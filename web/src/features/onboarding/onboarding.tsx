import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Instrument, Strategy, Wallet } from "@/api/models";
import { instrumentsQuery, sourceQuery, strategiesQuery, walletQuery } from "@/api/queries";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { FormError } from "@/features/session/form-error";
import { compareDecimals } from "@/fmt/decimal";
import { Button } from "@/ui/button";
import { OriginChip } from "@/ui/chip";
import { Money } from "@/ui/money";
import { PageHead, Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { MarketSwitch, type Source } from "./market-switch";
import {
  FIRST_CAPITAL,
  firstMarket,
  firstStrategies,
  firstTimeframe,
  PAPER_FUNDING,
  useFirstBot,
} from "./starter";

/** The first page of a newcomer: one choice, already made, and one button. */
export default function Onboarding() {
  const strategies = useQuery(strategiesQuery);
  const instruments = useQuery(instrumentsQuery);
  const wallet = useQuery(walletQuery);
  return (
    <>
      <PageHead title="Start a paper bot" />
      <p className="max-w-[72ch] text-ink-2">
        A paper bot decides on real rules and trades with pretend money. Its orders never leave this machine,
        so it cannot spend real money. Choose how it should decide; you can change everything later.
      </p>
      <Panel title="How should it decide?">
        <Loaded query={strategies} what="the strategies" rows={4}>
          {(all) => (
            <Loaded query={instruments} what="the markets" rows={2}>
              {(markets) => (
                <Loaded query={wallet} what="the paper wallet" rows={2}>
                  {(funds) => (
                    <Offer strategies={firstStrategies(all)} market={firstMarket(markets)} wallet={funds} />
                  )}
                </Loaded>
              )}
            </Loaded>
          )}
        </Loaded>
      </Panel>
    </>
  );
}

interface OfferProps {
  strategies: Strategy[];
  market: Instrument | undefined;
  wallet: Wallet;
}

function Offer({ strategies, market, wallet }: OfferProps) {
  const [chosen, setChosen] = useState(strategies[0]?.id);
  const [source, setSource] = useState<Source>();
  const start = useFirstBot();
  const strategy = strategies.find(({ id }) => id === chosen);
  if (!market || !strategy) {
    return (
      <Empty>
        The platform offers no market yet. It lists them as soon as its engine has started; this page follows
        by itself.
      </Empty>
    );
  }
  const needsFunds = compareDecimals(wallet.available, FIRST_CAPITAL) < 0;
  return (
    <div className="flex flex-col gap-4 px-4 pb-4">
      <fieldset>
        <legend className="sr-only">Strategy</legend>
        <div className="grid gap-3 lg:grid-cols-3">
          {strategies.map((each) => (
            <label
              key={each.id}
              className="flex flex-col gap-1.5 rounded-md border border-line-2 p-3 hover:bg-s2 has-checked:border-ink has-checked:bg-s2 has-checked:ring-1 has-checked:ring-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-focus"
            >
              <span className="flex items-center gap-2 text-lg font-semibold">
                <input
                  type="radio"
                  name="strategy"
                  value={each.id}
                  checked={each.id === chosen}
                  onChange={() => setChosen(each.id)}
                  className="size-4 accent-ink"
                />
                {each.title}
              </span>
              <span className="text-ink-2">{each.description}</span>
              <span className="mt-auto text-sm text-ink-2">
                Decides at each {firstTimeframe(each, market)} bar
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <DataSource market={market} onSwitched={setSource} />
      <p>
        {needsFunds && (
          <>
            <Money value={PAPER_FUNDING} /> of paper money are booked to your paper wallet, and{" "}
          </>
        )}
        <Money value={FIRST_CAPITAL} /> {needsFunds ? "of it" : "of your paper wallet"} go to this bot, on{" "}
        {market.pair} at {PLATFORM_NAMES[market.platform]}.
      </p>
      <FormError error={start.error} />
      <div>
        <Button
          look="primary"
          className="min-h-11! px-5"
          pending={start.isPending && "Starting…"}
          disabledReason={
            isSwitching(source, market) ? "The other market is starting; its prices are not here yet." : null
          }
          onClick={() => start.mutate({ strategy, market, wallet })}
        >
          Start this paper bot
        </Button>
      </div>
    </div>
  );
}

/** Until the engine runs on the market that was chosen, a bot would still be made on the old one. */
function isSwitching(source: Source | undefined, market: Instrument): boolean {
  if (source === undefined) return false;
  return (source === "sandbox") !== (market.origin === "synthetic");
}

/** Where the prices come from, said before anything starts. */
function DataSource({ market, onSwitched }: { market: Instrument; onSwitched: (source: Source) => void }) {
  const platform = PLATFORM_NAMES[market.platform];
  const { data: chosen } = useQuery(sourceQuery);
  const waiting = market.feed.state !== "live";
  const source = {
    live: `Prices are ${platform}'s own, live and public: no account and no key needed.`,
    recorded: `Prices were recorded from ${platform} and are played back.`,
    synthetic:
      chosen === "live"
        ? "Prices come from the servers that the settings put in the exchanges' place: SYNTHETIC."
        : "Prices come from the sandbox market: made up, repeatable, and labelled SYNTHETIC wherever they appear.",
  }[market.origin];
  return (
    <p className="flex flex-wrap items-center gap-2 rounded-md bg-s2 px-3 py-2">
      <OriginChip origin={market.origin} />
      {source}
      {waiting && (
        <strong className="font-semibold">
          They do not arrive at the moment: {market.feed.message} The bot waits for them.
        </strong>
      )}
      {waiting && market.origin === "live" && <MarketSwitch to="sandbox" onSwitched={onSwitched} />}
      {chosen === "sandbox" && <MarketSwitch to="live" onSwitched={onSwitched} />}
    </p>
  );
}
