import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { tokensQuery } from "@/api/account-queries";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { AccessToken } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Ago, Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { useRemove } from "./remove";
import { SecretOnce } from "./secret-once";

/** Keys for programs of one's own: scoped, dated, revocable, never shown twice. */
export function Tokens() {
  const query = useQuery(tokensQuery);
  const revoke = useRemove(keys.tokens, "Token revoked");
  return (
    <Panel title="Access tokens" note="for your own programs">
      <Loaded query={query} what="the tokens" rows={2}>
        {(tokens) =>
          tokens.length === 0 ? (
            <Empty>None yet. A token lets a program of yours read, or trade, as you.</Empty>
          ) : (
            <ul>
              {tokens.map((token) => (
                <li
                  key={token.id}
                  className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-2"
                >
                  <span className="min-w-0 grow">
                    <span className="block font-medium">{token.name}</span>
                    <span className="block text-sm text-ink-2">
                      may {token.scopes.join(" and ")}; used{" "}
                      <Ago at={token.last_used_at} reason="It has not been used." />;{" "}
                      {token.expires_at ? (
                        <>
                          ends <Moment at={token.expires_at} />
                        </>
                      ) : (
                        "does not end"
                      )}
                    </span>
                  </span>
                  <Button
                    pending={revoke.isPending && revoke.variables.endsWith(token.id) && "Revoking…"}
                    onClick={() => revoke.mutate(`/api/tokens/${token.id}`)}
                  >
                    Revoke
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <NewToken />
    </Panel>
  );
}

function NewToken() {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState("read");
  const create = useMutation({
    mutationFn: () =>
      api.post<{ access_token: AccessToken; token: string }>("/api/tokens", {
        name: name.trim(),
        scopes: scope === "read" ? ["read"] : ["read", "trade"],
        expires_in_days: 90,
      }),
    onSuccess: () => {
      setName("");
      void client.invalidateQueries({ queryKey: keys.tokens });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) create.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3 border-t border-line p-4">
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="New token for"
          placeholder="notebook"
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint="Ends after 90 days."
        />
        <SelectField label="It may" value={scope} onChange={(event) => setScope(event.target.value)}>
          <option value="read">Read</option>
          <option value="trade">Read and trade</option>
        </SelectField>
      </div>
      <FormError error={create.error} />
      <div>
        <Button
          type="submit"
          disabledReason={name.trim() ? null : "Say what it is for."}
          pending={create.isPending && "Creating…"}
        >
          Create token
        </Button>
      </div>
      {create.data && (
        <SecretOnce label={`The token for ${create.data.access_token.name}.`} secret={create.data.token} />
      )}
    </form>
  );
}
