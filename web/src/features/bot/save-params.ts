import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Bot } from "@/api/models";
import { announce } from "@/ui/notices";

/** Gives the bot new parameters; the server checks them against the strategy and keeps who did it. */
export function useSaveParams(bot: Bot) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (params: Record<string, number>) =>
      (await api.patch<{ bot: Bot }>(`/api/bots/${bot.id}`, { params })).bot,
    onSuccess: (changed) => {
      client.setQueryData(keys.bot(changed.id), changed);
      void client.invalidateQueries({ queryKey: keys.audit });
      announce(`Changed the parameters of ${changed.name}`);
    },
  });
}
