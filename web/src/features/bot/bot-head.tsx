import { Link, useNavigate } from "@tanstack/react-router";
import { Pause, Pencil, Play, Square, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Bot } from "@/api/models";
import { type BotAction, useBotAction } from "@/features/bots/actions";
import { mainAction, refusal } from "@/features/bots/bot-actions";
import { BotState } from "@/features/bots/bot-state";
import { PLATFORM_NAMES, pauseWords, RISK_WORDS, STAGE_WORDS } from "@/features/bots/words";
import { isReachable, useConnection } from "@/live/connection";
import { Countdown } from "@/ui/age";
import { Button } from "@/ui/button";
import { Chip, OriginChip } from "@/ui/chip";
import { Dialog } from "@/ui/dialog";
import { PageHead } from "@/ui/panel";
import { RenameBot } from "./rename-bot";

const WORDS = {
  start: { name: "Start bot", pending: "Starting…", icon: Play },
  pause: { name: "Pause bot", pending: "Pausing…", icon: Pause },
  resume: { name: "Resume bot", pending: "Resuming…", icon: Play },
  stop: { name: "Stop bot", pending: "Stopping…", icon: Square },
} as const;

function ActionButton({ bot, action }: { bot: Bot; action: keyof typeof WORDS }) {
  const act = useBotAction();
  const reachable = useConnection(({ state }) => isReachable(state));
  const { name, pending, icon: Icon } = WORDS[action];
  return (
    <Button
      icon={<Icon aria-hidden className="size-4" />}
      disabledReason={refusal(bot, action as BotAction, reachable)}
      pending={act.isPending && pending}
      onClick={() => act.mutate({ action, bot })}
    >
      {name}
    </Button>
  );
}

/** Name, state, and what can be done; on a phone the buttons stay in reach of the thumb. */
export function BotHead({ bot }: { bot: Bot }) {
  const [dialog, setDialog] = useState<"rename" | "delete" | null>(null);
  const close = () => setDialog(null);
  return (
    <>
      <title>{`${bot.name} · Amarktai`}</title>
      <nav aria-label="Path" className="text-sm text-ink-2">
        <Link to="/bots" className="link">
          Bots
        </Link>{" "}
        / {bot.name}
      </nav>
      <PageHead
        title={bot.name}
        note={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <BotState bot={bot} />
            <Chip hatched={bot.trading_mode === "paper"}>
              {bot.trading_mode === "paper" ? "PAPER" : "LIVE"}
            </Chip>
            <OriginChip origin={bot.origin} />
            <span>
              {PLATFORM_NAMES[bot.platform]} {bot.pair} · {bot.strategy_title} · {bot.timeframe} ·{" "}
              {RISK_WORDS[bot.risk_mode].name} · {STAGE_WORDS[bot.lifecycle_stage]}
            </span>
            {bot.status === "active" && bot.next_decision_at && (
              <span className="font-medium text-ink">
                Next decision <Countdown to={bot.next_decision_at} />
              </span>
            )}
          </span>
        }
      />
      <div className="flex flex-wrap gap-2">
        <div className="flex gap-2 max-md:fixed max-md:inset-x-0 max-md:bottom-[calc(3.5rem+env(safe-area-inset-bottom))] max-md:z-20 max-md:border-t max-md:border-line max-md:bg-s1 max-md:p-2 max-md:*:grow">
          <ActionButton bot={bot} action={mainAction(bot)} />
          <ActionButton bot={bot} action="stop" />
        </div>
        <Button icon={<Pencil aria-hidden className="size-4" />} onClick={() => setDialog("rename")}>
          Rename
        </Button>
        <Button
          icon={<Trash2 aria-hidden className="size-4" />}
          disabledReason={refusal(bot, "delete", true)}
          onClick={() => setDialog("delete")}
        >
          Delete
        </Button>
      </div>
      {bot.rests_because && <p className="text-ink-2">{bot.rests_because}</p>}
      {bot.status === "paused" && bot.pause_reason && (
        <p className="text-ink-2">Paused: {pauseWords(bot.pause_reason)}</p>
      )}
      {dialog === "rename" && <RenameBot bot={bot} onClose={close} />}
      {dialog === "delete" && <DeleteBot bot={bot} onClose={close} />}
    </>
  );
}

function DeleteBot({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const act = useBotAction();
  const navigate = useNavigate();
  const confirm = () =>
    act.mutate({ action: "delete", bot }, { onSuccess: () => void navigate({ to: "/bots" }) });
  return (
    <Dialog
      title={`Delete ${bot.name}`}
      open
      onClose={onClose}
      footer={
        <>
          <Button autoFocus onClick={onClose}>
            Keep it
          </Button>
          <Button look="danger" pending={act.isPending && "Deleting…"} onClick={confirm}>
            Delete bot
          </Button>
        </>
      }
    >
      <p>
        {bot.position
          ? "Its open position is closed at the market price first. "
          : "It has no open position. "}
        Its {bot.trading_mode} money goes back to your wallet. Its trades and ledger entries are kept, and so
        is what it earned.
      </p>
    </Dialog>
  );
}
