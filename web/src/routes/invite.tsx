import { createFileRoute, Link } from "@tanstack/react-router";
import { SessionCard } from "@/features/session/card";
import { PersonForm } from "@/features/session/person-form";

export const Route = createFileRoute("/invite")({
  validateSearch: (search): { token?: string; email?: string } => ({
    ...(typeof search.token === "string" && { token: search.token }),
    ...(typeof search.email === "string" && { email: search.email }),
  }),
  component: AcceptInvite,
});

function AcceptInvite() {
  const { token, email } = Route.useSearch();
  return (
    <SessionCard
      title="Accept your invite"
      intro={
        <p>
          Your bots, money and keys are yours alone: other users never see them. Have an account?{" "}
          <Link to="/login" className="link">
            Sign in
          </Link>
        </p>
      }
    >
      <PersonForm
        path="/api/invites/accept"
        token={token}
        {...(email && { email })}
        tokenLabel="Invite token"
        tokenHint="The administrator who invited you has it. It works once."
        submit="Create my account"
        pending="Creating…"
      />
    </SessionCard>
  );
}
