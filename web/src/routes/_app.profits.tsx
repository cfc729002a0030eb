import { createFileRoute } from "@tanstack/react-router";
import type { ProfitSpan } from "@/api/models";
import { ProfitsScreen } from "@/features/profits/profits-screen";
import { MODES, maybeOneOf } from "@/ui/search-params";

export const PERIODS = ["daily", "weekly", "monthly"] as const;

export interface ProfitsSearch {
  mode?: (typeof MODES)[number];
  period?: (typeof PERIODS)[number];
  span?: ProfitSpan;
}

const SPAN_NAMES = [
  "last_30_days",
  "month",
  "last_month",
  "year",
  "tax_year",
  "last_tax_year",
  "all",
] as const satisfies readonly ProfitSpan[];

export const Route = createFileRoute("/_app/profits")({
  validateSearch: (search): ProfitsSearch => {
    const mode = maybeOneOf(search.mode, MODES);
    const period = maybeOneOf(search.period, PERIODS);
    const span = maybeOneOf(search.span, SPAN_NAMES);
    return { ...(mode && { mode }), ...(period && { period }), ...(span && { span }) };
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
