import { clsx } from "clsx";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./button";

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  /** A drawer slides in at the right on a wide screen and fills a phone. */
  side?: boolean;
  footer?: ReactNode;
  children: ReactNode;
}

const FIRST = "[data-body] :is(input, select, textarea, button, a[href])";

/**
 * A modal on the browser's own `<dialog>`: focus is kept inside, Escape closes, the rest is inert,
 * and nothing needs an injected style (which the content security policy would refuse).
 */
export function Dialog({ title, open, onClose, side = false, footer, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (open && dialog && !dialog.open) {
      dialog.showModal();
      // The first thing to do inside, not the button that leaves again, unless a dialog says otherwise.
      (
        dialog.querySelector<HTMLElement>("[data-first]") ?? dialog.querySelector<HTMLElement>(FIRST)
      )?.focus();
    }
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  if (!open) return null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click on the backdrop has Escape as its key.
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}
      className={clsx(
        "border-line-2 bg-s1 p-0 text-ink",
        side
          ? "mr-0 ml-auto h-dvh max-h-none w-full max-w-xl border-l"
          : "m-auto w-[min(34rem,calc(100vw-2rem))] rounded-md border",
      )}
    >
      <div className={clsx("flex flex-col", side && "h-full")}>
        <div className="flex items-center border-b border-line px-4 py-2">
          <h2 id={id} className="text-lg">
            {title}
          </h2>
          <IconButton label="Close" className="ml-auto" onClick={onClose}>
            <X aria-hidden className="size-4" />
          </IconButton>
        </div>
        <div data-body className={clsx("p-4", side && "grow overflow-y-auto")}>
          {children}
        </div>
        {footer && (
          <div className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{footer}</div>
        )}
      </div>
    </dialog>
  );
}
