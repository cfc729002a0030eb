import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Bot } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { announce } from "@/ui/notices";

export function RenameBot({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(bot.name);
  const rename = useMutation({
    mutationFn: async () => (await api.patch<{ bot: Bot }>(`/api/bots/${bot.id}`, { name: name.trim() })).bot,
    onSuccess: (changed) => {
      client.setQueryData(keys.bot(bot.id), changed);
      void client.invalidateQueries({ queryKey: keys.bots });
      announce(`Renamed to ${changed.name}`);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) rename.mutate();
  };
  return (
    <Dialog title={`Rename ${bot.name}`} open onClose={onClose}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="Name"
          value={name}
          maxLength={60}
          onChange={(event) => setName(event.target.value)}
          autoFocus
        />
        <FormError error={rename.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabledReason={name.trim() ? null : "Write a name."}
            pending={rename.isPending && "Renaming…"}
          >
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
