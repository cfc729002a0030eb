import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { toggleHidden, usePrefs } from "@/fmt/prefs";
import { useStopAll } from "./stop-all";

export const SHORTCUTS = [
  { keys: "Ctrl K", does: "Find a screen, a bot, a market or an action" },
  { keys: "?", does: "Show this list" },
  { keys: "h", does: "Hide or show amounts" },
  { keys: "g o", does: "Go to the overview" },
  { keys: "g b", does: "Go to the bots" },
  { keys: "g p", does: "Go to the profits" },
  { keys: "g t", does: "Go to the trades" },
  { keys: "g m", does: "Go to the markets" },
  { keys: "g l", does: "Go to the ledger" },
  { keys: "g w", does: "Go to the wallet" },
  { keys: "/", does: "Filter the bots (on the bots screen)" },
  { keys: "j k", does: "Next or previous row (bots, trades)" },
  { keys: "Enter", does: "Open the row" },
  { keys: "x", does: "Choose the row (bots)" },
  { keys: "p", does: "Pause or resume the bot of the row" },
  { keys: "1 … 5", does: "Range of the equity (on the overview)" },
  { keys: "m d", does: "Paper or live; days, weeks or months (on the profits)" },
  { keys: "w t o", does: "Why, trades or orders (on a bot's page)" },
  { keys: "n", does: "New bot (on the bots screen)" },
  { keys: "[ ]", does: "Previous or next bot (on a bot's page)" },
  { keys: "Ctrl Shift .", does: "Stop all: pause every running bot" },
] as const;

const GO = {
  o: "/",
  b: "/bots",
  p: "/profits",
  t: "/trades",
  m: "/markets",
  l: "/ledger",
  w: "/wallet",
} as const;

/** True while a person types, so that letters stay letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Whether a plain letter may act now: switched on, no modifier, nobody typing, no dialog open. */
export function isPlainKey(event: KeyboardEvent): boolean {
  return (
    usePrefs.getState().shortcuts &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey &&
    !isTyping(event.target) &&
    !document.querySelector("dialog[open]")
  );
}

/** The keys that work on every screen. Those with a modifier cannot be switched off. */
export function useShortcuts(show: (overlay: "palette" | "shortcuts") => void): void {
  const navigate = useNavigate();
  const { mutate: stopAll } = useStopAll();
  useEffect(() => {
    let going = false;
    const plain = (event: KeyboardEvent) => {
      const to = going ? GO[event.key as keyof typeof GO] : undefined;
      going = event.key === "g";
      if (to) void navigate({ to });
      else if (event.key === "?") show("shortcuts");
      else if (event.key === "h") toggleHidden();
    };
    const press = (event: KeyboardEvent) => {
      const command = event.ctrlKey || event.metaKey;
      if (command && event.key.toLowerCase() === "k") {
        event.preventDefault();
        show("palette");
      } else if (command && event.shiftKey && event.code === "Period") {
        event.preventDefault();
        stopAll();
      } else if (isPlainKey(event)) plain(event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [navigate, show, stopAll]);
}
