import { X } from "lucide-react";
import type { TradeFilters } from "@/api/book-queries";
import { useZone } from "@/fmt/prefs";
import { formatMoment } from "@/fmt/time";

interface FilterChipsProps {
  filters: TradeFilters;
  onFilters: (filters: TradeFilters) => void;
}

/** The time filters, which no list in the bar shows: each can be taken off. */
export function FilterChips({ filters, onFilters }: FilterChipsProps) {
  const zone = useZone();
  const chips = (["since", "until"] as const).flatMap((name) => {
    const at = filters[name];
    return at
      ? [{ name, text: `${name} ${Number.isNaN(Date.parse(at)) ? at : formatMoment(at, zone)}` }]
      : [];
  });
  if (chips.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-2">
      {chips.map(({ name, text }) => (
        <li key={name}>
          <button
            type="button"
            aria-label={`Remove the filter ${text}`}
            onClick={() => {
              const { [name]: _, ...rest } = filters;
              onFilters(rest);
            }}
            className="inline-flex min-h-8 items-center gap-1.5 rounded-sm border border-line-2 bg-s1 px-2 text-sm hover:bg-s2"
          >
            {text} <X aria-hidden className="size-3.5" />
          </button>
        </li>
      ))}
    </ul>
  );
}
