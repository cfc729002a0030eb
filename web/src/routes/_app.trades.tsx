import { createFileRoute } from "@tanstack/react-router";
import type { TradeFilters } from "@/api/book-queries";
import { TradesScreen } from "@/features/trades/trades-screen";
import { MODES, maybeOneOf, PLATFORMS, text } from "@/ui/search-params";

const STATUSES = ["open", "closed"] as const;
export const SORTS = ["-closed_at", "closed_at", "-profit_loss", "profit_loss"] as const;

export const Route = createFileRoute("/_app/trades")({
  validateSearch: (search): TradeFilters => {
    const filters: TradeFilters = {
      status: maybeOneOf(search.status, STATUSES),
      mode: maybeOneOf(search.mode, MODES),
      bot_id: text(search.bot_id),
      platform: maybeOneOf(search.platform, PLATFORMS),
      pair: text(search.pair),
      since: text(search.since),
      until: text(search.until),
      sort: maybeOneOf(search.sort, SORTS),
    };
    return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
  },
  component: Trades,
});

function Trades() {
  const filters = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <TradesScreen filters={filters} onFilters={(next) => void navigate({ search: next, replace: true })} />
  );
}
