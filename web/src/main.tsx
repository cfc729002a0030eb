import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, isUnauthenticated } from "./api/client";
import { keys } from "./api/keys";
import { offerReload } from "./features/frame/reload";
import { NotFound, ScreenFailed } from "./features/frame/screen-states";
import { routeTree } from "./routeTree.gen";
import "./styles.css";

const TRIES = 2;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Events say what changed; nothing becomes stale by itself and nothing is asked twice for it.
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 10 * 60_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (count, error) => count < TRIES && !(error instanceof ApiError && error.status < 500),
    },
  },
});
client.getQueryCache().subscribe(({ type, query }) => {
  if (type === "updated" && isUnauthenticated(query.state.error)) client.setQueryData(keys.me, null);
});

const router = createRouter({
  routeTree,
  context: { client },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: false,
  defaultErrorComponent: ScreenFailed,
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

// After an upgrade an open tab asks for chunks that are gone.
window.addEventListener("vite:preloadError", (event) => {
  event.preventDefault();
  offerReload();
});

const root = document.getElementById("root");
if (!root) throw new Error("The page has no #root.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
