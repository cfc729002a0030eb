import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { invitesQuery } from "@/api/account-queries";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Invite } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { Loaded } from "@/ui/state";
import { useRemove } from "./remove";
import { SecretOnce } from "./secret-once";

/** Invites that are still open, and a form for the next. */
export function Invites() {
  const query = useQuery(invitesQuery);
  const withdraw = useRemove(keys.invites, "Invite withdrawn");
  return (
    <>
      <Loaded query={query} what="the invites" rows={1}>
        {(invites) => (
          <ul>
            {invites
              .filter(({ used_at }) => used_at === null)
              .map((invite) => (
                <li
                  key={invite.id}
                  className="flex flex-wrap items-center gap-x-4 border-t border-line px-4 py-2"
                >
                  <span className="grow">
                    Invite for {invite.email ?? "anybody who has it"} as {invite.role}, valid until{" "}
                    <Moment at={invite.expires_at} />
                  </span>
                  <Button onClick={() => withdraw.mutate(`/api/invites/${invite.id}`)}>Withdraw</Button>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
      <NewInvite />
    </>
  );
}

function NewInvite() {
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("trader");
  const create = useMutation({
    mutationFn: () =>
      api.post<{ invite: Invite; invite_token: string }>("/api/invites", {
        role,
        ...(email.trim() && { email: email.trim() }),
      }),
    onSuccess: () => {
      setEmail("");
      void client.invalidateQueries({ queryKey: keys.invites });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const link = (token: string) => `${location.origin}/invite?token=${encodeURIComponent(token)}`;
  return (
    <form onSubmit={submit} className="flex flex-col gap-3 border-t border-line p-4">
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Invite"
          type="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          hint="E-mail, optional. No mail is sent: you pass the link on."
        />
        <SelectField label="As" value={role} onChange={(event) => setRole(event.target.value)}>
          <option value="trader">Trader: own bots and money</option>
          <option value="viewer">Viewer: may look, not act</option>
          <option value="admin">Administrator</option>
        </SelectField>
      </div>
      <FormError error={create.error} />
      <div>
        <Button type="submit" pending={create.isPending && "Inviting…"}>
          Create invite
        </Button>
      </div>
      {create.data && (
        <SecretOnce label="The invite's link. It works once." secret={link(create.data.invite_token)} />
      )}
    </form>
  );
}
