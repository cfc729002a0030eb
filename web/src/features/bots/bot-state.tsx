import { CircleDashed, CirclePause, CirclePlay, CircleStop, type LucideIcon } from "lucide-react";
import type { Bot, BotStatus } from "@/api/models";
import { Ago } from "@/ui/age";
import { Unknown } from "@/ui/unknown";
import { pauseWords, STATUS_WORDS, VERDICT_WORDS } from "./words";

const SHAPES: Record<BotStatus, LucideIcon> = {
  active: CirclePlay,
  paused: CirclePause,
  stopped: CircleStop,
  deleted: CircleDashed,
};

/** The bot's state in a shape and a word; why it is paused or rests when it does. */
export function BotState({ bot }: { bot: Pick<Bot, "status" | "pause_reason" | "rests_because"> }) {
  const Shape = bot.rests_because ? CircleDashed : SHAPES[bot.status];
  const why =
    bot.rests_because ?? (bot.status === "paused" && bot.pause_reason ? pauseWords(bot.pause_reason) : null);
  return (
    <span
      className="inline-flex items-center gap-1.5 align-bottom whitespace-nowrap"
      title={why ?? undefined}
    >
      <Shape aria-hidden className="size-4 text-ink-2" strokeWidth={1.75} />
      {bot.rests_because ? "Resting" : STATUS_WORDS[bot.status]}
      {why && <span className="sr-only">: {why}</span>}
    </span>
  );
}

/** What the bot decided last and how long ago. */
export function LastDecision({ bot }: { bot: Pick<Bot, "last_decision"> }) {
  if (!bot.last_decision) return <Unknown reason="It has not decided anything yet." />;
  const { verdict, reason, at } = bot.last_decision;
  return (
    <span title={reason} className="whitespace-nowrap">
      {VERDICT_WORDS[verdict]} <span className="text-ink-2">{<Ago at={at} />}</span>
    </span>
  );
}
