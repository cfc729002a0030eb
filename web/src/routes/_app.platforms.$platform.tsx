import { createFileRoute, Link, notFound } from "@tanstack/react-router";
import type { Platform } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { useCurrentMode } from "@/features/frame/use-mode";
import { PlatformScreen } from "@/features/platforms/platform-screen";
import { ModeFilter } from "@/ui/mode-filter";
import { PageHead } from "@/ui/panel";
import { MODES, maybeOneOf } from "@/ui/search-params";

export const Route = createFileRoute("/_app/platforms/$platform")({
  validateSearch: (search): { mode?: "paper" | "live" } => {
    const mode = maybeOneOf(search.mode, MODES);
    return mode ? { mode } : {};
  },
  beforeLoad: ({ params }) => {
    if (!Object.hasOwn(PLATFORM_NAMES, params.platform)) throw notFound();
  },
  component: OnePlatform,
});

function OnePlatform() {
  const platform = Route.useParams().platform as Platform;
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const current = useCurrentMode();
  const mode = search.mode ?? current;
  return (
    <>
      <title>{`${PLATFORM_NAMES[platform]} · Amarktai`}</title>
      <nav aria-label="Path" className="text-sm text-ink-2">
        <Link to="/platforms" search={search} className="link">
          Platforms
        </Link>{" "}
        / {PLATFORM_NAMES[platform]}
      </nav>
      <PageHead
        title={PLATFORM_NAMES[platform]}
        actions={<ModeFilter mode={mode} onChange={(next) => void navigate({ search: { mode: next } })} />}
      />
      <PlatformScreen platform={platform} mode={mode} />
    </>
  );
}
