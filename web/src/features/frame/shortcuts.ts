import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { toggleHidden, usePrefs } from "@/fmt/prefs";
import { useStopAll } from "./stop-all";

const GO = {
  o: "/",
  b: "/bots",
  p: "/profits",
  t: "/trades",
  m: "/markets",
  l: "/ledger",
  w: "/wallet",
  a: "/accounts",
  k: "/keys",
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
        stopAll(false);
      } else if (isPlainKey(event)) plain(event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [navigate, show, stopAll]);
}
