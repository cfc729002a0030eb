import { createFileRoute } from "@tanstack/react-router";
import { BotsScreen } from "@/features/bots/bots-screen";
import { MODES, maybeOneOf, PLATFORMS, text } from "@/ui/search-params";

export const STAGES = ["paper_training", "eligible_for_live", "live", "quarantined"] as const;
const STATUSES = ["active", "paused", "stopped"] as const;

export interface BotsSearch {
  platform?: (typeof PLATFORMS)[number];
  status?: (typeof STATUSES)[number];
  mode?: (typeof MODES)[number];
  q?: string;
  stage?: (typeof STAGES)[number];
  sort?: string;
  /** Which columns, by id and comma; absent: the usual ones. */
  columns?: string;
  /** The drawer for a new bot is open. */
  new?: boolean;
}

export const Route = createFileRoute("/_app/bots/")({
  validateSearch: (search): BotsSearch => {
    const platform = maybeOneOf(search.platform, PLATFORMS);
    const status = maybeOneOf(search.status, STATUSES);
    const mode = maybeOneOf(search.mode, MODES);
    const stage = maybeOneOf(search.stage, STAGES);
    const columns = text(search.columns);
    const q = text(search.q);
    const sort = text(search.sort);
    return {
      ...(platform && { platform }),
      ...(status && { status }),
      ...(mode && { mode }),
      ...(stage && { stage }),
      ...(columns && { columns }),
      ...(q && { q }),
      ...(sort && { sort }),
      ...(search.new === true && { new: true }),
    };
  },
  component: Bots,
});

function Bots() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return <BotsScreen search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />;
}
