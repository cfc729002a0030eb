import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { meQuery } from "@/api/queries";
import { adoptUser, followSystemTheme } from "@/fmt/prefs";
import { ModeBand } from "./mode-band";
import { Sidebar, TabBar } from "./navigation";
import { useShortcuts } from "./shortcuts";

const Footer = lazy(() => import("./footer"));
const LiveConnection = lazy(() => import("@/live/provider"));
const Palette = lazy(() => import("./palette"));
const ShortcutList = lazy(() => import("./shortcut-list"));

/** What surrounds every screen: mode, connection, navigation, builds. */
export function Frame() {
  const [overlay, setOverlay] = useState<"palette" | "shortcuts" | null>(null);
  const { data: user } = useQuery(meQuery);
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useShortcuts(setOverlay);
  useEffect(() => followSystemTheme(), []);
  useEffect(() => {
    if (user) adoptUser(user);
    if (user === null) void navigate({ to: "/login", search: { next: location.pathname + location.search } });
  }, [user, navigate]);
  // A new screen is read from its top, as a new page would be.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is the trigger.
  useEffect(() => {
    // Newer browsers answer with a promise, which an effect must not return.
    void window.scrollTo(0, 0);
  }, [path]);
  const close = () => setOverlay(null);
  return (
    <>
      <a
        href="#content"
        className="control sr-only z-50 focus:not-sr-only focus:fixed! focus:top-1 focus:left-2 focus:px-3 focus:py-1"
      >
        Skip to the content
      </a>
      <ModeBand />
      <div className="mx-auto flex w-full max-w-[1600px]">
        <Sidebar onPalette={() => setOverlay("palette")} />
        <div className="flex min-h-[calc(100dvh-40px)] min-w-0 grow flex-col pb-32 md:pb-0">
          <main id="content" tabIndex={-1} className="flex min-w-0 grow flex-col gap-4 p-4 outline-none">
            <Outlet />
          </main>
          <Suspense fallback={<div className="min-h-8.5" />}>
            <Footer />
          </Suspense>
        </div>
      </div>
      <TabBar onPalette={() => setOverlay("palette")} />
      <Suspense>
        <LiveConnection />
      </Suspense>
      <Suspense>
        {overlay === "palette" && <Palette onClose={close} />}
        {overlay === "shortcuts" && <ShortcutList onClose={close} />}
      </Suspense>
    </>
  );
}
