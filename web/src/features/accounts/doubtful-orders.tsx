import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { DoubtfulOrder } from "@/api/models";
import { withProof } from "@/features/factors/proof";
import { FormError } from "@/features/session/form-error";
import { Ago, Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Quantity } from "@/ui/money";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";

const words = (state: string) => state.replaceAll("_", " ");

/** Orders whose outcome is not known, with all that is known, and a way to end one that nothing proves. */
export function DoubtfulOrders({ items }: { items: DoubtfulOrder[] }) {
  if (items.length === 0) return null;
  return (
    <Panel title="Orders in doubt" note="the exchange is asked until its records say what happened">
      <ul>
        {items.map((item) => (
          <li key={item.order.id} className="flex flex-col gap-2 border-t border-line px-4 py-3">
            <Evidence item={item} />
            {item.resolution ? (
              <p className="text-ink-2">
                {`${item.resolution.note}, said `}
                <Ago at={item.resolution.asked_at} />. The engine ends it within seconds.
              </p>
            ) : (
              <Resolve id={item.order.id} />
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Evidence({ item: { order, events, fills } }: { item: DoubtfulOrder }) {
  return (
    <>
      <p>
        <strong>{order.bot_name}</strong>: {order.side} <Quantity value={order.quantity} /> {order.pair},{" "}
        <strong>{words(order.state)}</strong> since <Ago at={order.updated_at} />; {fills.length} executions
        are booked. Where the exchange keeps our names, it is <code>{order.client_order_id}</code> there.
      </p>
      <ol className="text-sm text-ink-2">
        {events.map((event) => (
          <li key={`${event.at}${event.to_state}`}>
            <Moment at={event.at} /> {words(event.to_state)}
            {event.detail && `: ${event.detail}`}
          </li>
        ))}
      </ol>
    </>
  );
}

function Resolve({ id }: { id: string }) {
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const resolve = useMutation({
    mutationFn: () => withProof(() => api.post(`/api/orders/${id}/resolve`, { note })),
    onSuccess: () => {
      announce("Noted. The engine ends the order.");
      void client.invalidateQueries({ queryKey: keys.accounts });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    resolve.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-end gap-3">
      <TextField
        label="What the exchange's own list says of it"
        value={note}
        maxLength={300}
        onChange={(event) => setNote(event.target.value)}
      />
      <Button
        type="submit"
        disabledReason={note.trim() ? null : "Look at the exchange first, and write down what you saw."}
        pending={resolve.isPending && "Noting…"}
      >
        It is over
      </Button>
      <FormError error={resolve.error} />
    </form>
  );
}
