import { createFileRoute } from "@tanstack/react-router";
import { ProfitsScreen } from "@/features/profits/profits-screen";
import { MODES, maybeOneOf } from "@/ui/search-params";

export const PERIODS = ["daily", "weekly", "monthly"] as const;

export interface ProfitsSearch {
  mode?: (typeof MODES)[number];
  period?: (typeof PERIODS)[number];
}

export const Route = createFileRoute("/_app/profits")({
  validateSearch: (search): ProfitsSearch => {
    const mode = maybeOneOf(search.mode, MODES);
    const period = maybeOneOf(search.period, PERIODS);
    return { ...(mode && { mode }), ...(period && { period }) };
  },
  component: Profits,
});

function Profits() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <ProfitsScreen search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
  );
}
