import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Difference } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Ago, Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { Quantity } from "@/ui/money";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";

type Cause = NonNullable<Difference["cause"]>;

const ADDED: Record<string, string> = {
  deposit: "I paid it in",
  reward: "Interest, a reward or a rebate",
  other: "Something else",
};
const TAKEN: Record<string, string> = {
  withdrawal: "I took it out",
  fee: "A fee of the exchange",
  other: "Something else",
};

/** By how much accounts differ from the books. No bot enters there until each is explained. */
export function DifferenceList({ items }: { items: Difference[] }) {
  const open = items.filter((item) => item.explained_at === null);
  const explained = items.filter((item) => item.explained_at !== null);
  if (items.length === 0) return null;
  return (
    <Panel
      title="Differences"
      note={
        open.length > 0 ? "bots there make no entries until you say what it was" : "all of them are explained"
      }
    >
      <ul>
        {open.map((item) => (
          <li key={item.id} className="border-t border-line px-4 py-3">
            <Open item={item} />
          </li>
        ))}
        {explained.map((item) => (
          <li key={item.id} className="border-t border-line px-4 py-2 text-ink-2">
            {item.display_name}: <Quantity value={item.amount} asset={item.asset} />
            {`, ${item.cause}${item.note ? `: ${item.note}` : ""}, said `}
            <Moment at={item.explained_at} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Open({ item }: { item: Difference }) {
  const causes = item.amount.startsWith("-") ? TAKEN : ADDED;
  const client = useQueryClient();
  const [cause, setCause] = useState(Object.keys(causes)[0] as Cause);
  const [note, setNote] = useState("");
  const explain = useMutation({
    mutationFn: () => api.post(`/api/accounts/differences/${item.id}/explain`, { cause, note }),
    onSuccess: () => {
      announce("Booked. The account is compared anew.");
      void client.invalidateQueries({ queryKey: keys.accounts });
      void client.invalidateQueries({ queryKey: keys.ledger });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    explain.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2">
      <p>
        <strong>{item.display_name}</strong> has{" "}
        <strong>
          <Quantity value={item.amount.replace("-", "")} asset={item.asset} />
        </strong>{" "}
        {item.amount.startsWith("-") ? "less" : "more"} than the books say, noticed{" "}
        <Ago at={item.noticed_at} />.
      </p>
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label={`What was it, at ${item.display_name}?`}
          value={cause}
          onChange={(event) => setCause(event.target.value as Cause)}
        >
          {Object.entries(causes).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Note"
          value={note}
          maxLength={300}
          onChange={(event) => setNote(event.target.value)}
        />
        <Button type="submit" pending={explain.isPending && "Booking…"}>
          Book it so
        </Button>
      </div>
      <FormError error={explain.error} />
    </form>
  );
}
