import { useEffect } from "react";
import { isPlainKey } from "@/features/frame/shortcuts";

/** `j` and `k` move the focus from one trade's button to the next; Enter then opens it, as on any button. */
export function useTradeKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
      if (!step || !isPlainKey(event)) return;
      const buttons = [...document.querySelectorAll<HTMLElement>("[data-trade] button[aria-expanded]")];
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      buttons[at < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + step))]?.focus();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
