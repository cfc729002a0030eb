import { clsx } from "clsx";
import { type ReactNode, useId } from "react";

interface PanelProps {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  /** Simulated or unsettled content: hatched. */
  hatched?: boolean;
  className?: string;
  children: ReactNode;
}

/** A titled surface. Its name is its heading, so that it can be found by landmark. */
export function Panel({ title, note, actions, hatched = false, className, children }: PanelProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={clsx("panel min-w-0", hatched && "hatched", className)}>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3 pb-2">
        <h2 id={id}>{title}</h2>
        {note && <span className="text-ink-2">{note}</span>}
        {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** The head of a screen: its one h1, a sentence, its actions. */
export function PageHead({
  title,
  note,
  actions,
}: {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <h1>{title}</h1>
      {note && <div className="text-ink-2">{note}</div>}
      {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
