import { createFileRoute, redirect } from "@tanstack/react-router";
import { botsQuery, meQuery, modeQuery, setupQuery } from "@/api/queries";
import { Frame } from "@/features/frame/frame";
import { adoptUser } from "@/fmt/prefs";

/** Everything behind the login. The address asked for is kept and opened after signing in. */
export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context: { client }, location }) => {
    const user = await client.ensureQueryData(meQuery);
    if (!user) {
      const { needed } = await client.fetchQuery(setupQuery);
      if (needed) throw redirect({ to: "/setup" });
      throw redirect({ to: "/login", search: { next: location.href } });
    }
    adoptUser(user);
    return { user };
  },
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(modeQuery);
    void client.prefetchQuery(botsQuery);
  },
  component: Frame,
});
