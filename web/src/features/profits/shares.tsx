import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ProfitShare, ProfitSummary } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { Money } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty } from "@/ui/state";

interface Share extends ProfitShare {
  id: string;
  name: ReactNode;
}

/** Where the realised profit is from: by bot, platform and pair. Each name opens its trades. */
export function Shares({ summary }: { summary: ProfitSummary }) {
  const mode = summary.mode === "all" ? undefined : summary.mode;
  const byBot = summary.by_bot.map((share) => ({
    ...share,
    id: share.bot_id,
    name: (
      <Link to="/trades" search={{ bot_id: share.bot_id, ...(mode && { mode }) }} className="hover:underline">
        {share.bot_name}
      </Link>
    ),
  }));
  const byPlatform = summary.by_platform.map((share) => ({
    ...share,
    id: share.platform,
    name: (
      <Link
        to="/trades"
        search={{ platform: share.platform, ...(mode && { mode }) }}
        className="hover:underline"
      >
        {PLATFORM_NAMES[share.platform]}
      </Link>
    ),
  }));
  const byPair = summary.by_pair.map((share) => ({
    ...share,
    id: share.pair,
    name: (
      <Link to="/trades" search={{ pair: share.pair, ...(mode && { mode }) }} className="hover:underline">
        {share.pair}
      </Link>
    ),
  }));
  return (
    <div className="grid items-start gap-4 lg:grid-cols-3">
      <ShareTable title="By bot" shares={byBot} />
      <ShareTable title="By platform" shares={byPlatform} />
      <ShareTable title="By pair" shares={byPair} />
    </div>
  );
}

function ShareTable({ title, shares }: { title: string; shares: Share[] }) {
  return (
    <Panel title={title}>
      {shares.length === 0 ? (
        <Empty>Appears with the first closed trade.</Empty>
      ) : (
        <ScrollRegion label={`Realised profit ${title.toLowerCase()}`}>
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
              </tr>
            </thead>
            <tbody>
              {shares.map(({ id, name, realized_profit, fees, trades }) => (
                <tr key={id}>
                  <td>{name}</td>
                  <td className="num">
                    <Money value={realized_profit} result />
                  </td>
                  <td className="num">
                    <Money value={fees} />
                  </td>
                  <td className="num">{trades}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </Panel>
  );
}
