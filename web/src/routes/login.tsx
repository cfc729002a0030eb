import { createFileRoute, redirect } from "@tanstack/react-router";
import { type FormEvent, useRef } from "react";
import { meQuery } from "@/api/queries";
import { SessionCard } from "@/features/session/card";
import { safeNext, useEnter } from "@/features/session/enter";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";

export const Route = createFileRoute("/login")({
  validateSearch: (search): { next?: string } => {
    const next = safeNext(search.next);
    return next === "/" ? {} : { next };
  },
  beforeLoad: async ({ context: { client }, search }) => {
    if (await client.ensureQueryData(meQuery)) throw redirect({ href: search.next ?? "/" });
  },
  component: Login,
});

function Login() {
  const { next } = Route.useSearch();
  const enter = useEnter<{ email: string; password: string }>("/api/auth/login", next ?? "/");
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    enter.mutate({ email: String(fields.get("email")).trim(), password: String(fields.get("password")) });
  };
  return (
    <SessionCard
      title="Sign in"
      intro={<p>{next ? "Then we open the page you asked for." : "Welcome back."}</p>}
    >
      <form ref={form} className="flex flex-col gap-4" onSubmit={submit}>
        <TextField label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <FormError error={enter.error} />
        <Button type="submit" look="primary" pending={enter.isPending && "Signing in…"}>
          Sign in
        </Button>
      </form>
    </SessionCard>
  );
}
