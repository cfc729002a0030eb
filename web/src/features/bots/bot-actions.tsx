import { Pause, Play, Square } from "lucide-react";
import type { Bot } from "@/api/models";
import { isReachable, useConnection } from "@/live/connection";
import { IconButton } from "@/ui/button";
import { type BotAction, useBotAction } from "./actions";

const OFFLINE = "The server does not answer, so nothing would happen.";

/** Why an action is not allowed now, or null when it is. Straight from the server's `can_*`. */
export function refusal(bot: Bot, action: BotAction, reachable: boolean): string | null {
  if (!reachable) return OFFLINE;
  const allowed = {
    start: bot.can_start,
    pause: bot.can_pause,
    resume: bot.can_resume,
    stop: bot.can_stop,
    delete: bot.can_delete,
  }[action];
  return allowed ? null : (bot.cannot_reason ?? `The bot is ${bot.status}.`);
}

/** The one of start, pause and resume that fits what the bot is doing. */
export function mainAction(bot: Bot): "start" | "pause" | "resume" {
  if (bot.status === "active") return "pause";
  return bot.status === "paused" ? "resume" : "start";
}

const NAMES = { start: "Start", pause: "Pause", resume: "Resume", stop: "Stop" } as const;

export function BotActions({ bot }: { bot: Bot }) {
  const act = useBotAction();
  const reachable = useConnection(({ state }) => isReachable(state));
  const main = mainAction(bot);
  const Main = main === "pause" ? Pause : Play;
  return (
    <span className="inline-flex gap-0.5">
      <IconButton
        label={`${NAMES[main]} ${bot.name}`}
        disabledReason={refusal(bot, main, reachable)}
        pending={act.isPending}
        onClick={() => act.mutate({ action: main, bot })}
      >
        <Main aria-hidden className="size-4" />
      </IconButton>
      <IconButton
        label={`Stop ${bot.name}`}
        disabledReason={refusal(bot, "stop", reachable)}
        pending={act.isPending}
        onClick={() => act.mutate({ action: "stop", bot })}
      >
        <Square aria-hidden className="size-3.5" />
      </IconButton>
    </span>
  );
}
