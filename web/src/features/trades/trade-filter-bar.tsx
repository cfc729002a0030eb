import { useQuery } from "@tanstack/react-query";
import type { TradeFilters } from "@/api/book-queries";
import { botsQuery } from "@/api/queries";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { FilterSelect } from "@/ui/field";
import { PLATFORMS } from "@/ui/search-params";

interface TradeFilterBarProps {
  filters: TradeFilters;
  onFilters: (filters: TradeFilters) => void;
}

export function TradeFilterBar({ filters, onFilters }: TradeFilterBarProps) {
  const { data: bots } = useQuery(botsQuery);
  const pairs = [...new Set(bots?.map(({ pair }) => pair))].sort();
  const set = (name: keyof TradeFilters) => (event: { target: { value: string } }) => {
    const { [name]: _, ...rest } = filters;
    onFilters(event.target.value ? { ...rest, [name]: event.target.value } : rest);
  };
  return (
    <search className="flex flex-wrap gap-2">
      <FilterSelect label="State" value={filters.status ?? ""} onChange={set("status")}>
        <option value="">Open and closed</option>
        <option value="open">Open</option>
        <option value="closed">Closed</option>
      </FilterSelect>
      <FilterSelect label="Money" value={filters.mode ?? ""} onChange={set("mode")}>
        <option value="">Paper and live</option>
        <option value="paper">Paper</option>
        <option value="live">Live</option>
      </FilterSelect>
      <FilterSelect
        label="Bot"
        value={filters.bot_id ?? ""}
        onChange={set("bot_id")}
        className="control max-w-[min(12rem,100%)]"
      >
        <option value="">All bots</option>
        {bots?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </FilterSelect>
      <FilterSelect label="Platform" value={filters.platform ?? ""} onChange={set("platform")}>
        <option value="">All platforms</option>
        {PLATFORMS.map((platform) => (
          <option key={platform} value={platform}>
            {PLATFORM_NAMES[platform]}
          </option>
        ))}
      </FilterSelect>
      <FilterSelect label="Pair" value={filters.pair ?? ""} onChange={set("pair")}>
        <option value="">All pairs</option>
        {pairs.map((pair) => (
          <option key={pair}>{pair}</option>
        ))}
      </FilterSelect>
      <FilterSelect label="Order" value={filters.sort ?? ""} onChange={set("sort")}>
        <option value="">Newest first</option>
        <option value="closed_at">Oldest first</option>
        <option value="-profit_loss">Largest gain first</option>
        <option value="profit_loss">Largest loss first</option>
      </FilterSelect>
    </search>
  );
}
