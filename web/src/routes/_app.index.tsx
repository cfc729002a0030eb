import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { botsQuery, equityQuery, platformsQuery, profitSummaryQuery } from "@/api/queries";
import { isPlainKey } from "@/features/frame/shortcuts";
import { useCurrentMode } from "@/features/frame/use-mode";
import { Figures } from "@/features/overview/figures";
import { ModeFilter } from "@/ui/mode-filter";
import { PageHead } from "@/ui/panel";
import { MODES, maybeOneOf, oneOf, RANGES } from "@/ui/search-params";

const FirstSteps = lazy(() => import("@/features/overview/first-steps"));
const EquityPanel = lazy(() => import("@/features/overview/equity-panel"));
const LowerHalf = lazy(() => import("@/features/overview/lower-half"));
const Onboarding = lazy(() => import("@/features/onboarding/onboarding"));

interface OverviewSearch {
  mode?: "paper" | "live";
  range?: (typeof RANGES)[number];
  /** Equity is drawn against the same money held as bitcoin. */
  benchmark?: boolean;
}

export const Route = createFileRoute("/_app/")({
  validateSearch: (search): OverviewSearch => {
    const mode = maybeOneOf(search.mode, MODES);
    const range = maybeOneOf(search.range, RANGES);
    return {
      ...(mode && { mode }),
      ...(range && { range }),
      ...(search.benchmark === true && { benchmark: true }),
    };
  },
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => {
    const mode = deps.mode ?? "paper";
    void client.prefetchQuery(profitSummaryQuery(mode));
    void client.prefetchQuery(equityQuery(mode, deps.range ?? "month"));
    void client.prefetchQuery(platformsQuery(mode));
  },
  component: Overview,
});

function Overview() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const current = useCurrentMode();
  const { data: bots } = useQuery(botsQuery);
  const mode = search.mode ?? current;
  const range = oneOf(search.range, RANGES, "month");
  const setRange = (next: typeof range) =>
    void navigate({ search: { ...search, range: next }, replace: true });
  const setBenchmark = (on: boolean) => {
    const { benchmark: _, ...rest } = search;
    void navigate({ search: on ? { ...rest, benchmark: true } : rest, replace: true });
  };
  useRangeKeys(setRange);
  if (bots?.length === 0) {
    return (
      <Suspense>
        <Onboarding />
      </Suspense>
    );
  }
  return (
    <>
      <PageHead
        title="Overview"
        actions={
          <ModeFilter mode={mode} onChange={(next) => void navigate({ search: { ...search, mode: next } })} />
        }
      />
      <Suspense>
        <FirstSteps />
      </Suspense>
      <Figures mode={mode} />
      <Suspense fallback={<div className="panel h-[19.5rem]" />}>
        <EquityPanel
          mode={mode}
          range={range}
          onRange={setRange}
          benchmark={search.benchmark ?? false}
          onBenchmark={setBenchmark}
        />
      </Suspense>
      <Suspense fallback={<div className="min-h-128" />}>
        <LowerHalf mode={mode} />
      </Suspense>
    </>
  );
}

/** The keys 1 to 5 choose the range. */
function useRangeKeys(setRange: (range: (typeof RANGES)[number]) => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const range = RANGES[Number(event.key) - 1];
      if (range && isPlainKey(event)) setRange(range);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
}
