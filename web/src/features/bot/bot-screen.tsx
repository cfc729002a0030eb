import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Bot, Range } from "@/api/models";
import { botEquityQuery, botQuery, botsQuery } from "@/api/queries";
import { sortBots } from "@/features/bots/columns";
import { CrosshairGroup } from "@/features/charts/crosshair";
import { DrawdownChart } from "@/features/charts/drawdown-chart";
import { EquityChart } from "@/features/charts/equity-chart";
import { isPlainKey } from "@/features/frame/shortcuts";
import type { BotSearch } from "@/routes/_app.bots.$botId";
import { Percent } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { RangeFilter } from "@/ui/range-filter";
import { Loaded } from "@/ui/state";
import { BotFigures } from "./bot-figures";
import { BotHead } from "./bot-head";
import { BotTabs } from "./bot-tabs";
import { CandlePanel } from "./candle-panel";

interface BotScreenProps {
  botId: string;
  search: BotSearch;
  onSearch: (search: BotSearch) => void;
}

/** One bot: what it is doing, why, and whether to trust it. */
export function BotScreen({ botId, search, onSearch }: BotScreenProps) {
  const query = useQuery(botQuery(botId));
  useNeighbourKeys(botId);
  useTabKeys(search, onSearch);
  return (
    <Loaded query={query} what="the bot" rows={8}>
      {(bot) => (
        <>
          <BotHead bot={bot} />
          <BotFigures bot={bot} />
          <CrosshairGroup>
            <CandlePanel bot={bot} />
            <EquityPanel
              bot={bot}
              range={search.range ?? "month"}
              onRange={(range) => onSearch({ ...search, range })}
            />
          </CrosshairGroup>
          <BotTabs bot={bot} tab={search.tab ?? "decisions"} onTab={(tab) => onSearch({ ...search, tab })} />
        </>
      )}
    </Loaded>
  );
}

function EquityPanel({ bot, range, onRange }: { bot: Bot; range: Range; onRange: (range: Range) => void }) {
  const query = useQuery(botEquityQuery(bot.id, range));
  return (
    <Panel
      title="Equity and drawdown"
      note={
        query.data && (
          <>
            worst fall{" "}
            <Percent value={query.data.max_drawdown_percent} reason="Its equity has no history yet." />
          </>
        )
      }
      actions={<RangeFilter range={range} onChange={onRange} />}
    >
      <EquityChart
        query={query}
        height={150}
        subject={bot.name}
        empty="The curve begins with the first two points of this bot's equity."
      />
      {query.data && query.data.items.length > 1 && (
        <>
          <h3 className="px-4 text-sm text-ink-2">Drawdown, from the highest point so far</h3>
          <DrawdownChart data={query.data} height={110} subject={bot.name} />
        </>
      )}
    </Panel>
  );
}

const TAB_KEYS: Record<string, NonNullable<BotSearch["tab"]>> = { w: "decisions", t: "trades", o: "orders" };

/** `w`, `t` and `o` open the tabs. */
function useTabKeys(search: BotSearch, onSearch: (search: BotSearch) => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const tab = TAB_KEYS[event.key];
      if (tab && isPlainKey(event)) onSearch({ ...search, tab });
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [search, onSearch]);
}

/** `[` and `]` go to the bots before and after this one, by name. */
function useNeighbourKeys(botId: string): void {
  const { data } = useQuery(botsQuery);
  const navigate = useNavigate();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const step = event.key === "]" ? 1 : event.key === "[" ? -1 : 0;
      if (!step || !data || !isPlainKey(event)) return;
      const sorted = sortBots(data, "name");
      const next = sorted[sorted.findIndex(({ id }) => id === botId) + step];
      if (next) void navigate({ to: "/bots/$botId", params: { botId: next.id } });
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [data, botId, navigate]);
}
