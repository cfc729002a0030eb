import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Breaker } from "@/api/models";
import { withProof } from "@/features/factors/proof";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { announce } from "@/ui/notices";

const AFTER = {
  daily_loss_zar:
    "It resets itself with the next day. Before that it can be reset once the limit is above the loss.",
  drawdown_pct: "From then on the fall is measured from what there is at the reset.",
  consecutive_losses: "From then on only new losses count.",
  errors_per_hour: "From then on only new errors count.",
} as const;

/** Why entries may go on, in the words that the audit log keeps. */
export default function ResetBreaker({ trip, onClose }: { trip: Breaker; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const reset = useMutation({
    mutationFn: () =>
      withProof(() => api.post("/api/circuit-breaker/reset", { breaker_id: trip.id, reason: reason.trim() })),
    onSuccess: () => {
      announce("The circuit breaker is reset: entries may leave again.");
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: keys.breakers }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    reset.mutate();
  };
  const after = trip.trigger_type in AFTER ? AFTER[trip.trigger_type as keyof typeof AFTER] : "";
  return (
    <Dialog title="Reset a circuit breaker" open onClose={onClose}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <p>
          It tripped because {trip.trigger_reason}. {after}
        </p>
        <TextField
          label="Why entries may go on"
          name="reason"
          value={reason}
          maxLength={200}
          autoComplete="off"
          required
          hint="Kept in the audit log with your name."
          onChange={(event) => setReason(event.target.value)}
        />
        <FormError error={reset.error} />
        <Button
          type="submit"
          look="danger"
          disabledReason={reason.trim() === "" ? "Say why first." : null}
          pending={reset.isPending && "Resetting…"}
          className="self-start"
        >
          Reset
        </Button>
      </form>
    </Dialog>
  );
}
