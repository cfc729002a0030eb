import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ProfitReport, ProfitShare, TradingMode } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { Money, Percent } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty } from "@/ui/state";

interface Share extends ProfitShare {
  id: string;
  name: ReactNode;
}

/** Where the realised profit is from: by bot, platform and pair. Each name opens its trades. */
export function Shares({ report, mode }: { report: ProfitReport; mode: TradingMode }) {
  const byBot = report.by_bot.map((share) => ({
    ...share,
    id: share.bot_id,
    name: (
      <Link to="/trades" search={{ bot_id: share.bot_id, mode }} className="hover:underline">
        {share.bot_name}
      </Link>
    ),
  }));
  const byPlatform = report.by_platform.map((share) => ({
    ...share,
    id: share.platform,
    name: (
      <Link to="/trades" search={{ platform: share.platform, mode }} className="hover:underline">
        {PLATFORM_NAMES[share.platform]}
      </Link>
    ),
  }));
  const byPair = report.by_pair.map((share) => ({
    ...share,
    id: `${share.platform} ${share.pair}`,
    name: (
      <Link
        to="/trades"
        search={{ pair: share.pair, platform: share.platform, mode }}
        className="hover:underline"
      >
        {share.pair} <span className="text-ink-2">{PLATFORM_NAMES[share.platform]}</span>
      </Link>
    ),
  }));
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <ShareTable title="By bot" shares={byBot} />
      <ShareTable title="By platform" shares={byPlatform} />
      <ShareTable title="By pair" shares={byPair} />
    </div>
  );
}

const NONE = "No trade of it has closed in this span.";

function ShareTable({ title, shares }: { title: string; shares: Share[] }) {
  return (
    <Panel title={title}>
      {shares.length === 0 ? (
        <Empty>Appears with the first closed trade.</Empty>
      ) : (
        <ScrollRegion
          label={`Realised profit ${title.toLowerCase()}`}
          className="overflow-y-auto"
          maxHeight={420}
        >
          <table className="ledger">
            <thead>
              <tr>
                <th scope="col">{title.slice(3, 4).toUpperCase() + title.slice(4)}</th>
                <th scope="col" className="num">
                  Realised
                </th>
                <th scope="col" className="num">
                  Fees
                </th>
                <th scope="col" className="num">
                  Trades
                </th>
                <th scope="col" className="num">
                  Won
                </th>
                <th scope="col" className="num">
                  A trade
                </th>
              </tr>
            </thead>
            <tbody>
              {shares.map(({ id, name, realized_profit, fees, trades, win_rate, expectancy }) => (
                <tr key={id}>
                  <td>{name}</td>
                  <td className="num">
                    <Money value={realized_profit} result />
                  </td>
                  <td className="num">
                    <Money value={fees} />
                  </td>
                  <td className="num">{trades}</td>
                  <td className="num">
                    <Percent value={win_rate} places={0} reason={NONE} />
                  </td>
                  <td className="num">
                    <Money value={expectancy} result reason={NONE} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </Panel>
  );
}
