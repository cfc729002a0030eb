import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, Outlet } from "@tanstack/react-router";
import { NoticeList } from "@/ui/notice-list";

export const Route = createRootRouteWithContext<{ client: QueryClient }>()({ component: Root });

function Root() {
  return (
    <>
      <Outlet />
      <NoticeList />
    </>
  );
}
