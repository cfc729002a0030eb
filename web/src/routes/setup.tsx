import { createFileRoute, redirect } from "@tanstack/react-router";
import { setupQuery } from "@/api/queries";
import { SessionCard } from "@/features/session/card";
import { PersonForm } from "@/features/session/person-form";

export const Route = createFileRoute("/setup")({
  validateSearch: (search): { token?: string } =>
    typeof search.token === "string" ? { token: search.token } : {},
  beforeLoad: async ({ context: { client } }) => {
    const { needed } = await client.fetchQuery(setupQuery);
    if (!needed) throw redirect({ to: "/login" });
  },
  component: Setup,
});

function Setup() {
  const { token } = Route.useSearch();
  return (
    <SessionCard
      title="Set up this platform"
      intro={<p>You become its administrator. Everything stays on this machine; nothing is sent anywhere.</p>}
    >
      <PersonForm
        path="/api/setup"
        token={token}
        tokenLabel="Setup token"
        tokenHint="Printed in the terminal that started the platform. It works once."
        submit="Create the administrator"
        pending="Creating…"
      />
    </SessionCard>
  );
}
