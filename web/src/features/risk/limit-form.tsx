import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { LimitKind } from "@/api/models";
import { botsQuery } from "@/api/queries";
import { withProof } from "@/features/factors/proof";
import { FormError } from "@/features/session/form-error";
import { parseTyped } from "@/fmt/number";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { announce } from "@/ui/notices";
import { LIMIT_KINDS, LIMIT_WORDS } from "./limit-words";

/** Sets a limit: what it is of, whom it binds, how much. One of the same kind and scope is replaced. */
export function LimitForm({ isAdmin }: { isAdmin: boolean }) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const { data: bots } = useQuery(botsQuery);
  const [kind, setKind] = useState<LimitKind>("daily_loss_zar");
  const ofPairs = kind === "allowed_pairs";
  const { name, unit } = LIMIT_WORDS[kind];
  const save = useMutation({
    mutationFn: (body: object) => withProof(() => api.put("/api/risk/limits", body)),
    onSuccess: () => {
      announce(`${name}: the limit is set.`);
      form.current?.reset();
      void client.invalidateQueries({ queryKey: keys.risk });
      void client.invalidateQueries({ queryKey: keys.liveReadiness });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    const whom = String(fields.get("whom"));
    const given = String(fields.get("value")).trim();
    const isBot = whom !== "everybody" && whom !== "user";
    save.mutate({
      kind,
      scope: isBot ? "bot" : whom,
      ...(isBot ? { bot_id: whom } : {}),
      ...(ofPairs
        ? { names: given === "" ? [] : given.toUpperCase().split(/[\s,;]+/) }
        : { amount: parseTyped(given) ?? given }),
    });
  };
  return (
    <form ref={form} onSubmit={submit} className="flex flex-col gap-3 border-t border-line p-4">
      <div className="grid gap-3 md:grid-cols-3">
        <SelectField
          label="Limit"
          name="kind"
          value={kind}
          onChange={(event) => setKind(event.target.value as LimitKind)}
        >
          {LIMIT_KINDS.map((each) => (
            <option key={each} value={each}>
              {LIMIT_WORDS[each].name}
            </option>
          ))}
        </SelectField>
        <SelectField label="Binds" name="whom" defaultValue="user">
          {isAdmin && <option value="everybody">Everybody together</option>}
          <option value="user">All your bots</option>
          {bots?.map((bot) => (
            <option key={bot.id} value={bot.id}>
              {bot.name}
            </option>
          ))}
        </SelectField>
        <TextField
          label={ofPairs ? "Pairs" : unit === "" ? "At most" : `At most, ${unit}`}
          name="value"
          inputMode={ofPairs ? "text" : "decimal"}
          autoComplete="off"
          required={!ofPairs}
          hint={ofPairs ? "For example BTC/ZAR, ETH/ZAR." : undefined}
        />
      </div>
      <FormError error={save.error} />
      <Button type="submit" pending={save.isPending && "Setting…"} className="self-start">
        Set limit
      </Button>
    </form>
  );
}
