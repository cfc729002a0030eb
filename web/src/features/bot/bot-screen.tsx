import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Bot, Range } from "@/api/models";
import { botEquityQuery, botQuery, botsQuery } from "@/api/queries";
import { sortBots } from "@/features/bots/columns";
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
  return (
    <Loaded query={query} what="the bot" rows={8}>
      {(bot) => (
        <>
          <BotHead bot={bot} />
          <BotFigures bot={bot} />
          <div className="grid gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
            <CandlePanel bot={bot} />
            <EquityPanel
              bot={bot}
              range={search.range ?? "month"}
              onRange={(range) => onSearch({ ...search, range })}
            />
          </div>
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
      title="Equity"
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
        height={300}
        subject={bot.name}
        empty="The curve begins with the first two points of this bot's equity."
      />
    </Panel>
  );
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
