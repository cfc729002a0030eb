import { createFileRoute, redirect } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { ApiError } from "@/api/client";
import { meQuery } from "@/api/queries";
import { CodeField } from "@/features/factors/proof-fields";
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

interface Credentials {
  email: string;
  password: string;
  code?: string;
}

const asksForCode = (error: Error | null) =>
  error instanceof ApiError && error.code === "SECOND_FACTOR_NEEDED";

function Login() {
  const { next } = Route.useSearch();
  const enter = useEnter<Credentials>("/api/auth/login", next ?? "/");
  const form = useRef<HTMLFormElement>(null);
  // Once the account has asked for a code, the field stays: the next try needs one too.
  const [needsCode, setNeedsCode] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    const code = fields.get("code");
    enter.mutate(
      {
        email: String(fields.get("email")).trim(),
        password: String(fields.get("password")),
        ...(code !== null && { code: String(code) }),
      },
      { onError: (error) => setNeedsCode((needed) => needed || asksForCode(error)) },
    );
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
        {needsCode && <CodeField autoFocus />}
        <FormError error={asksForCode(enter.error) ? null : enter.error} />
        <Button type="submit" look="primary" pending={enter.isPending && "Signing in…"}>
          Sign in
        </Button>
      </form>
    </SessionCard>
  );
}
