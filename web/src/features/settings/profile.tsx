import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { api } from "@/api/client";
import type { User } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { timeZones } from "@/fmt/time";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { useSaveProfile } from "./save";

export function Profile({ user }: { user: User }) {
  const save = useSaveProfile();
  const [name, setName] = useState(user.name);
  const saveName = () => {
    if (name.trim() && name.trim() !== user.name) save.mutate({ name: name.trim() });
  };
  return (
    <Panel title="You" note={`${user.email}, ${user.role}`} actions={<SignOut />}>
      <div className="flex flex-col gap-4 px-4 pb-4">
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          onBlur={saveName}
          autoComplete="name"
        />
        <SelectField
          label="Time zone"
          hint="Days begin and end here, so profit per day does too."
          value={user.timezone}
          onChange={(event) => save.mutate({ timezone: event.target.value })}
        >
          {timeZones().map((zone) => (
            <option key={zone}>{zone}</option>
          ))}
        </SelectField>
        <ChangePassword />
      </div>
    </Panel>
  );
}

function SignOut() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => api.post("/api/auth/logout"),
    onSuccess: async () => {
      client.clear();
      await navigate({ to: "/login" });
    },
    onError: (error) => announce(`Not signed out: ${error.message}`, "warning"),
  });
  return (
    <Button pending={leave.isPending && "Signing out…"} onClick={() => leave.mutate()}>
      Sign out
    </Button>
  );
}

const SHORTEST = 12;

function ChangePassword() {
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      api.post("/api/auth/password", body),
    onSuccess: () => {
      form.current?.reset();
      announce("Password changed");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    change.mutate({
      current_password: String(fields.get("current")),
      new_password: String(fields.get("new")),
    });
  };
  return (
    <details className="border-t border-line pt-3">
      <summary className="font-medium">Change the password</summary>
      <form ref={form} onSubmit={submit} className="mt-3 flex flex-col gap-3">
        <TextField
          label="Present password"
          name="current"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField
          label="New password"
          name="new"
          type="password"
          autoComplete="new-password"
          required
          minLength={SHORTEST}
          hint="At least 12 characters."
        />
        <FormError error={change.error} />
        <div>
          <Button type="submit" pending={change.isPending && "Changing…"}>
            Change the password
          </Button>
        </div>
      </form>
    </details>
  );
}
