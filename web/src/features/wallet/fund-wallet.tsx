import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Wallet } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { parseTyped } from "@/fmt/number";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { announce } from "@/ui/notices";

/** Books pretend money into the paper wallet: a ledger entry like every other. */
export function FundWallet({ onDone }: { onDone?: () => void }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState("100000");
  const amount = parseTyped(typed);
  const fund = useMutation({
    mutationFn: (value: string) => api.post<{ wallet: Wallet }>("/api/wallet/paper/fund", { amount: value }),
    onSuccess: ({ wallet }) => {
      client.setQueryData(keys.wallet, wallet);
      void client.invalidateQueries({ queryKey: keys.profits });
      announce("Paper money booked");
      onDone?.();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (amount) fund.mutate(amount);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3 rounded-md bg-s2 p-3">
      <TextField
        label="Add paper money, in rand"
        inputMode="decimal"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <FormError error={fund.error} />
      <div>
        <Button
          type="submit"
          disabledReason={amount ? null : "Write a number, for example 100 000."}
          pending={fund.isPending && "Booking…"}
        >
          Add to the paper wallet
        </Button>
      </div>
    </form>
  );
}
