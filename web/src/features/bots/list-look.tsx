import { Check, X } from "lucide-react";
import { useState } from "react";
import type { BotListView } from "@/api/models";
import { useSaveProfile } from "@/features/settings/save";
import { usePrefs } from "@/fmt/prefs";
import type { BotsSearch } from "@/routes/_app.bots.index";
import { Button, IconButton } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { Segmented } from "@/ui/segmented";
import { BOT_COLUMNS, type BotColumnId, CHOOSABLE, columnsOf, USUAL_COLUMNS } from "./columns";

interface ListLookProps {
  search: BotsSearch;
  onSearch: (search: BotsSearch) => void;
}

const DENSITIES = [
  { value: "comfortable", label: "Roomy" },
  { value: "compact", label: "Compact" },
] as const;

/** How the list looks: its columns, its rows, and views that one has named. */
export function ListLook({ search, onSearch }: ListLookProps) {
  const density = usePrefs((prefs) => prefs.density);
  const save = useSaveProfile();
  return (
    <>
      <SavedViews search={search} onSearch={onSearch} />
      <ColumnChooser search={search} onSearch={onSearch} />
      <Segmented
        label="Rows"
        value={density}
        options={DENSITIES}
        onChange={(next) => save.mutate({ settings: { density: next } })}
      />
    </>
  );
}

function ColumnChooser({ search, onSearch }: ListLookProps) {
  const shown = columnsOf(search.columns);
  const { columns: _, ...usual } = search;
  const toggle = (id: BotColumnId) => {
    const next = CHOOSABLE.filter((each) => (each === id ? !shown.includes(id) : shown.includes(each)));
    const same = next.join() === USUAL_COLUMNS.filter((each) => CHOOSABLE.includes(each)).join();
    // An empty list is an answer too: only the name and what can be done.
    onSearch(same ? usual : { ...search, columns: next.join() || "none" });
  };
  return (
    <Menu label="Columns">
      {CHOOSABLE.map((id) => (
        <label key={id} className="flex min-h-8 items-center gap-2 rounded-sm px-2 hover:bg-s2">
          <input type="checkbox" checked={shown.includes(id)} onChange={() => toggle(id)} />
          {BOT_COLUMNS[id].head}
        </label>
      ))}
      <Button look="quiet" onClick={() => onSearch(usual)}>
        The usual ones
      </Button>
    </Menu>
  );
}

/** A view's address, without what is only open at the moment. */
function searchText({ new: _, ...search }: BotsSearch): string {
  return new URLSearchParams(search as Record<string, string>).toString();
}

function SavedViews({ search, onSearch }: ListLookProps) {
  const views = usePrefs((prefs) => prefs.bot_views);
  const [name, setName] = useState("");
  const save = useSaveProfile();
  const keep = (bot_views: BotListView[]) => save.mutate({ settings: { bot_views } });
  const add = () => {
    const others = views.filter((view) => view.name !== name.trim());
    keep([...others, { name: name.trim(), search: searchText(search) }]);
    setName("");
  };
  return (
    <Menu label="Views">
      {views.length === 0 && <p className="px-2 text-sm text-ink-2">No view is saved yet.</p>}
      {views.map((view) => (
        <div key={view.name} className="flex items-center gap-1">
          <Button
            look="quiet"
            className="grow justify-start!"
            icon={view.search === searchText(search) ? <Check aria-hidden className="size-4" /> : undefined}
            onClick={() => onSearch(Object.fromEntries(new URLSearchParams(view.search)) as BotsSearch)}
          >
            {view.name}
          </Button>
          <IconButton
            label={`Forget the view ${view.name}`}
            onClick={() => keep(views.filter((other) => other !== view))}
          >
            <X aria-hidden className="size-4" />
          </IconButton>
        </div>
      ))}
      <form
        className="flex gap-2 border-t border-line pt-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) add();
        }}
      >
        <input
          aria-label="Name of this view"
          placeholder="Name of this view"
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
          className="control w-40"
        />
        <Button
          type="submit"
          pending={save.isPending && "Saving…"}
          disabledReason={name.trim() ? null : "Write a name first."}
        >
          Save
        </Button>
      </form>
    </Menu>
  );
}
