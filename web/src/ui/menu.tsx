import { ChevronDown } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { buttonClass } from "./button";

/** A button that opens a small box of controls: the browser's own disclosure, closed by Escape or a click elsewhere. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = () => box.current?.removeAttribute("open");
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !box.current?.open) return;
      close();
      box.current.querySelector("summary")?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", leave);
    };
  }, []);
  return (
    <details ref={box} className="relative">
      <summary className={`${buttonClass()} list-none`}>
        {label} <ChevronDown aria-hidden className="size-4" />
      </summary>
      <div className="absolute right-0 z-30 mt-1 flex max-h-96 w-max max-w-[80vw] flex-col gap-1 overflow-y-auto rounded-md border border-line-2 bg-s1 p-2 max-sm:right-auto max-sm:left-0">
        {children}
      </div>
    </details>
  );
}
