import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Bot, BulkResult } from "@/api/models";
import { usePrefs } from "@/fmt/prefs";
import { formatClock } from "@/fmt/time";
import { announce } from "@/ui/notices";
import { bulkSentence } from "./words";

export type BotAction = "start" | "pause" | "resume" | "stop" | "delete";

const DONE: Record<BotAction, string> = {
  start: "Started",
  pause: "Paused",
  resume: "Resumed",
  stop: "Stopped",
  delete: "Deleted",
};

const clock = () => formatClock(Date.now(), usePrefs.getState().zone);

/** Puts what the server answered where the row is shown; nothing is ever assumed before it answers. */
function useKeepBot() {
  const client = useQueryClient();
  return (bot: Bot) => {
    client.setQueryData(keys.bot(bot.id), bot);
    client.setQueryData<Bot[]>(keys.bots, (bots) =>
      bot.status === "deleted"
        ? bots?.filter((other) => other.id !== bot.id)
        : bots?.map((other) => (other.id === bot.id ? bot : other)),
    );
    void client.invalidateQueries({ queryKey: keys.platforms });
  };
}

/** Does one thing to one bot, and says when it was done or why it was not. */
export function useBotAction() {
  const keep = useKeepBot();
  return useMutation({
    mutationFn: async ({ action, bot }: { action: BotAction; bot: Pick<Bot, "id" | "name"> }) => {
      const path = `/api/bots/${bot.id}`;
      const { bot: changed } =
        action === "delete"
          ? await api.delete<{ bot: Bot }>(path)
          : await api.post<{ bot: Bot }>(`${path}/${action}`);
      return { action, changed };
    },
    onSuccess: ({ action, changed }) => {
      keep(changed);
      announce(`${DONE[action]} ${changed.name} at ${clock()}`);
    },
    onError: (error, { action, bot }) =>
      announce(`Could not ${action} ${bot.name}: ${error.message}`, "warning"),
  });
}

/** Pauses or starts the chosen bots one by one, and says what each refusal was. */
export function useBulkAction() {
  const keep = useKeepBot();
  return useMutation({
    mutationFn: async ({ action, bots }: { action: "pause" | "start"; bots: Bot[] }) => {
      const result: BulkResult = { changed: 0, skipped: [] };
      for (const bot of bots) {
        try {
          keep((await api.post<{ bot: Bot }>(`/api/bots/${bot.id}/${action}`)).bot);
          result.changed += 1;
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          result.skipped.push({ bot_id: bot.id, name: bot.name, reason });
        }
      }
      return { action, result };
    },
    onSuccess: ({ action, result }) => announce(`${bulkSentence(DONE[action], result)} at ${clock()}`),
  });
}
