import { createFileRoute } from "@tanstack/react-router";
import { useCurrentMode } from "@/features/frame/use-mode";
import { FeedTable } from "@/features/platforms/feed-table";
import { PlatformStrip } from "@/features/platforms/platform-strip";
import { ModeFilter } from "@/ui/mode-filter";
import { PageHead } from "@/ui/panel";
import { MODES, maybeOneOf } from "@/ui/search-params";

export const Route = createFileRoute("/_app/platforms/")({
  validateSearch: (search): { mode?: "paper" | "live" } => {
    const mode = maybeOneOf(search.mode, MODES);
    return mode ? { mode } : {};
  },
  component: Platforms,
});

function Platforms() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const current = useCurrentMode();
  const mode = search.mode ?? current;
  return (
    <>
      <PageHead
        title="Platforms"
        actions={<ModeFilter mode={mode} onChange={(next) => void navigate({ search: { mode: next } })} />}
      />
      <PlatformStrip mode={mode} full />
      <FeedTable />
    </>
  );
}
