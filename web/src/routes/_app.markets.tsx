import { createFileRoute } from "@tanstack/react-router";
import { MarketsScreen } from "@/features/markets/markets-screen";
import { text } from "@/ui/search-params";

export interface MarketsSearch {
  instrument?: string;
  timeframe?: string;
}

export const Route = createFileRoute("/_app/markets")({
  validateSearch: (search): MarketsSearch => {
    const instrument = text(search.instrument);
    const timeframe = text(search.timeframe);
    return { ...(instrument && { instrument }), ...(timeframe && { timeframe }) };
  },
  component: Markets,
});

function Markets() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <MarketsScreen search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
  );
}
