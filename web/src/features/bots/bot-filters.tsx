import type { RefObject } from "react";
import { type BotsSearch, STAGES } from "@/routes/_app.bots.index";
import { FilterSelect } from "@/ui/field";
import { MODES, maybeOneOf, PLATFORMS } from "@/ui/search-params";
import { PLATFORM_NAMES, STAGE_WORDS, STATUS_WORDS } from "./words";

interface BotFiltersProps {
  search: BotsSearch;
  onSearch: (search: BotsSearch) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

const STATUSES = ["active", "paused", "stopped"] as const;

/** Filters live in the address, so a view can be shared and survives a reload. */
export function BotFilters({ search, onSearch, inputRef }: BotFiltersProps) {
  const set = (key: keyof BotsSearch, value: unknown) => {
    const { [key]: _, ...rest } = search;
    onSearch(value ? { ...rest, [key]: value } : rest);
  };
  return (
    <search className="flex flex-wrap gap-2">
      <input
        ref={inputRef}
        type="search"
        aria-label="Filter by name, pair or strategy"
        placeholder="Filter by name, pair or strategy (/)"
        value={search.q ?? ""}
        onChange={(event) => set("q", event.target.value)}
        className="control min-w-[min(14rem,100%)] grow sm:max-w-80"
      />
      <FilterSelect
        label="Platform"
        value={search.platform ?? ""}
        onChange={(event) => set("platform", maybeOneOf(event.target.value, PLATFORMS))}
      >
        <option value="">All platforms</option>
        {PLATFORMS.map((platform) => (
          <option key={platform} value={platform}>
            {PLATFORM_NAMES[platform]}
          </option>
        ))}
      </FilterSelect>
      <FilterSelect
        label="State"
        value={search.status ?? ""}
        onChange={(event) => set("status", maybeOneOf(event.target.value, STATUSES))}
      >
        <option value="">All states</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {STATUS_WORDS[status]}
          </option>
        ))}
      </FilterSelect>
      <FilterSelect
        label="Stage"
        value={search.stage ?? ""}
        onChange={(event) => set("stage", maybeOneOf(event.target.value, STAGES))}
      >
        <option value="">All stages</option>
        {STAGES.map((stage) => (
          <option key={stage} value={stage}>
            {STAGE_WORDS[stage]}
          </option>
        ))}
      </FilterSelect>
      <FilterSelect
        label="Money"
        value={search.mode ?? ""}
        onChange={(event) => set("mode", maybeOneOf(event.target.value, MODES))}
      >
        <option value="">Paper and live</option>
        <option value="paper">Paper</option>
        <option value="live">Live</option>
      </FilterSelect>
    </search>
  );
}
