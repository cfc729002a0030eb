import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useEffect, useState } from "react";
import type { Bot } from "@/api/models";
import { isPlainKey } from "@/features/frame/shortcuts";

interface ListKeys {
  filter: RefObject<HTMLInputElement | null>;
  onNew: () => void;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  /** Pauses a running bot, resumes a paused one. */
  onToggle: (bot: Bot) => void;
}

/** `/` filters, `j` and `k` move, Enter opens, `x` chooses, `p` pauses or resumes, `n` makes a new one. Returns the row the keys are on. */
export function useListKeys(
  bots: Bot[],
  { filter, onNew, selected, onSelect, onToggle }: ListKeys,
): string | undefined {
  const [at, setAt] = useState<string>();
  const navigate = useNavigate();
  useEffect(() => {
    const move = (step: number) => {
      const index = bots.findIndex(({ id }) => id === at);
      const next = bots[index < 0 ? 0 : Math.min(bots.length - 1, Math.max(0, index + step))];
      setAt(next?.id);
      if (next) document.querySelector(`[data-row="${next.id}"]`)?.scrollIntoView({ block: "nearest" });
    };
    const choose = () => {
      if (!at) return;
      const next = new Set(selected);
      if (!next.delete(at)) next.add(at);
      onSelect(next);
    };
    const open = (event: KeyboardEvent) => {
      const free = event.target === document.body || event.target === document.getElementById("content");
      if (at && free) void navigate({ to: "/bots/$botId", params: { botId: at } });
    };
    const acts: Record<string, (event: KeyboardEvent) => void> = {
      "/": (event) => {
        event.preventDefault();
        filter.current?.focus();
      },
      j: () => move(1),
      k: () => move(-1),
      x: choose,
      p: () => {
        const bot = bots.find(({ id }) => id === at);
        if (bot) onToggle(bot);
      },
      n: (event) => {
        event.preventDefault();
        onNew();
      },
      Enter: open,
    };
    const press = (event: KeyboardEvent) => {
      if (isPlainKey(event)) acts[event.key]?.(event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [bots, at, navigate, filter, onNew, selected, onSelect, onToggle]);
  return at;
}
