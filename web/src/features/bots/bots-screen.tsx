import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import type { Bot } from "@/api/models";
import { botsQuery } from "@/api/queries";
import { isReachable, useConnection } from "@/live/connection";
import type { BotsSearch } from "@/routes/_app.bots.index";
import { Button } from "@/ui/button";
import { useIsPhone } from "@/ui/media";
import { announce } from "@/ui/notices";
import { PageHead } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { useBotAction } from "./actions";
import { mainAction, refusal } from "./bot-actions";
import { BotCards } from "./bot-cards";
import { BotFilters } from "./bot-filters";
import { BotTable } from "./bot-table";
import { BotTotals } from "./bot-totals";
import { BulkBar } from "./bulk-bar";
import { columnsOf, sortBots } from "./columns";
import { useListKeys } from "./list-keys";
import { ListLook } from "./list-look";

const NewBot = lazy(() => import("./new-bot"));

interface BotsScreenProps {
  search: BotsSearch;
  onSearch: (search: BotsSearch) => void;
}

function matches(bot: Bot, { platform, status, stage, mode, q }: BotsSearch): boolean {
  const words = `${bot.name} ${bot.pair} ${bot.platform} ${bot.strategy_title}`.toLowerCase();
  return (
    (!platform || bot.platform === platform) &&
    (!status || bot.status === status) &&
    (!stage || bot.lifecycle_stage === stage) &&
    (!mode || bot.trading_mode === mode) &&
    (!q || words.includes(q.toLowerCase()))
  );
}

/** All of one's bots: which earn, which need me. */
export function BotsScreen({ search, onSearch }: BotsScreenProps) {
  const query = useQuery(botsQuery);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const filter = useRef<HTMLInputElement>(null);
  const shown = useMemo(
    () =>
      sortBots(
        (query.data ?? []).filter((bot) => matches(bot, search)),
        search.sort ?? "name",
      ),
    [query.data, search],
  );
  const openNew = () => onSearch({ ...search, new: true });
  const { mutate: act } = useBotAction();
  const reachable = useConnection(({ state }) => isReachable(state));
  const onToggle = (bot: Bot) => {
    const action = mainAction(bot);
    const reason = refusal(bot, action, reachable);
    // Starting a stopped bot is left to its button: `p` is for pausing and what was paused.
    if (reason) announce(`${bot.name}: ${reason}`, "warning");
    else if (action !== "start") act({ action, bot });
  };
  const current = useListKeys(shown, { filter, onNew: openNew, selected, onSelect: setSelected, onToggle });
  const { new: _, ...closed } = search;
  return (
    <>
      <PageHead
        title="Bots"
        note={query.data && `${shown.length} of ${query.data.length}`}
        actions={
          <>
            <ListLook search={search} onSearch={onSearch} />
            <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={openNew}>
              New bot
            </Button>
          </>
        }
      />
      <BotFilters search={search} onSearch={onSearch} inputRef={filter} />
      <BulkBar bots={shown.filter(({ id }) => selected.has(id))} onClear={() => setSelected(new Set())} />
      <Loaded query={query} what="the bots" rows={8}>
        {(all) => (
          <BotList
            all={all}
            shown={shown}
            search={search}
            onSearch={onSearch}
            selected={selected}
            onSelect={setSelected}
            current={current}
            onNew={openNew}
          />
        )}
      </Loaded>
      <Suspense>{search.new && <NewBot onClose={() => onSearch(closed)} />}</Suspense>
    </>
  );
}

interface BotListProps extends BotsScreenProps {
  all: Bot[];
  shown: Bot[];
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  current: string | undefined;
  onNew: () => void;
}

function BotList({ all, shown, search, onSearch, selected, onSelect, current, onNew }: BotListProps) {
  const phone = useIsPhone();
  const columns = columnsOf(search.columns);
  if (all.length === 0) {
    return (
      <div className="panel">
        <Empty
          action={
            <Button look="primary" onClick={onNew}>
              Create a paper bot
            </Button>
          }
        >
          You have no bots. A paper bot trades with pretend money on real rules; it appears here once created.
        </Empty>
      </div>
    );
  }
  if (shown.length === 0) {
    return (
      <div className="panel">
        <Empty action={<Button onClick={() => onSearch({})}>Clear the filters</Button>}>
          None of your {all.length} bots passes the filters above.
        </Empty>
      </div>
    );
  }
  if (phone) return <BotCards bots={shown} />;
  return (
    <div className="panel">
      <BotTable
        label="Bots"
        bots={shown}
        columns={columns}
        sort={search.sort ?? "name"}
        onSort={(sort) => onSearch({ ...search, sort })}
        selected={selected}
        onSelect={onSelect}
        current={current}
        footer={shown.length === all.length ? <BotTotals columns={columns} /> : undefined}
      />
    </div>
  );
}
