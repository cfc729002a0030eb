import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef } from "react";
import { api } from "@/api/client";
import { factorsQuery } from "@/api/key-queries";
import { keys } from "@/api/keys";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/state";
import { settleProof, useProof } from "./proof";
import { CodeField, PasswordField } from "./proof-fields";

/** Asks for the code, or the password where there is no second factor, before a risky change. */
export function ProofDialog() {
  const waiting = useProof((state) => state.waiting);
  if (!waiting) return null;
  return (
    <Dialog title="Is it you?" open onClose={() => settleProof(false)}>
      <ProofForm />
    </Dialog>
  );
}

function ProofForm() {
  const query = useQuery(factorsQuery);
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const prove = useMutation({
    mutationFn: (proof: { code: string } | { password: string }) => api.post("/api/auth/step-up", proof),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.factors });
      settleProof(true);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    const code = fields.get("code");
    prove.mutate(code === null ? { password: String(fields.get("password")) } : { code: String(code) });
  };
  return (
    <Loaded query={query} what="how you confirm" rows={1}>
      {({ step_up_with, server_time }) => (
        <form ref={form} onSubmit={submit} className="flex flex-col gap-3">
          <p className="text-ink-2">
            Keys, sign-in and real money are changed only after a fresh proof. It then counts for a few
            minutes.
          </p>
          {step_up_with === "code" ? <CodeField serverTime={server_time} autoFocus /> : <PasswordField />}
          <FormError error={prove.error} />
          <div className="flex justify-end gap-2">
            <Button onClick={() => settleProof(false)}>Cancel</Button>
            <Button type="submit" look="primary" pending={prove.isPending && "Confirming…"}>
              Confirm
            </Button>
          </div>
        </form>
      )}
    </Loaded>
  );
}
