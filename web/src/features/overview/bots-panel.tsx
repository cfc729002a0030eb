import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TradingMode } from "@/api/models";
import { botsQuery } from "@/api/queries";
import { BotCards } from "@/features/bots/bot-cards";
import { BotTable } from "@/features/bots/bot-table";
import { compareUnknown } from "@/fmt/decimal";
import { useIsPhone } from "@/ui/media";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";

const SHOWN = 10;
/** What moves today. More would push the last figures under the buttons; all are on the bots screen. */
const COLUMNS = ["name", "pair", "state", "unrealised", "today", "actions"] as const;

/** The bots with the most money at risk. */
export function BotsPanel({ mode }: { mode: TradingMode }) {
  const query = useQuery(botsQuery);
  const phone = useIsPhone();
  const running = query.data?.filter(
    (bot) => bot.status === "active" && !bot.rests_because && bot.trading_mode === mode,
  ).length;
  return (
    <Panel title="Bots" note={running !== undefined && `${running} running`}>
      <Loaded query={query} what="the bots" rows={6}>
        {(all) => {
          const bots = all.filter((bot) => bot.trading_mode === mode);
          if (bots.length === 0)
            return <Empty>No bot trades with {mode} money. Those that do appear here.</Empty>;
          const top = [...bots]
            .sort((a, b) => compareUnknown(b.current_capital, a.current_capital))
            .slice(0, SHOWN);
          if (phone) {
            return (
              <div className="px-3 pb-3">
                <BotCards bots={top} />
              </div>
            );
          }
          return <BotTable label="Bots with the most money at risk" bots={top} columns={COLUMNS} />;
        }}
      </Loaded>
      <p className="border-t border-line px-4 py-2 text-sm">
        <Link to="/bots" className="link">
          All bots
        </Link>
      </p>
    </Panel>
  );
}
