import { createFileRoute } from "@tanstack/react-router";
import { BotsScreen } from "@/features/bots/bots-screen";
import { MODES, maybeOneOf, PLATFORMS, text } from "@/ui/search-params";

const STATUSES = ["active", "paused", "stopped"] as const;

export interface BotsSearch {
  platform?: (typeof PLATFORMS)[number];
  status?: (typeof STATUSES)[number];
  mode?: (typeof MODES)[number];
  q?: string;
  sort?: string;
  /** The drawer for a new bot is open. */
  new?: boolean;
}

export const Route = createFileRoute("/_app/bots/")({
  validateSearch: (search): BotsSearch => {
    const platform = maybeOneOf(search.platform, PLATFORMS);
    const status = maybeOneOf(search.status, STATUSES);
    const mode = maybeOneOf(search.mode, MODES);
    const q = text(search.q);
    const sort = text(search.sort);
    return {
      ...(platform && { platform }),
      ...(status && { status }),
      ...(mode && { mode }),
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
