import { clsx } from "clsx";
import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-ink text-bg border-ink hover:opacity-90 font-semibold",
  plain: "bg-s1 border-line-2 hover:bg-s2",
  quiet: "border-transparent hover:bg-s3",
  danger: "bg-danger text-on-danger border-danger hover:opacity-90 font-semibold",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** The verb in progress ("Pausing…"); the button keeps its width and takes no second press. */
  pending?: string | false | undefined;
  /** Why it cannot be pressed now; shown as its title and read with its name. */
  disabledReason?: string | null | undefined;
  icon?: ReactNode;
}

/** The base of every button, and of links that look like one. */
export function buttonClass(look: Look = "plain"): string {
  return clsx(
    "inline-flex min-h-9 items-center justify-center gap-2 rounded-md border px-3 py-1 font-medium",
    "md:whitespace-nowrap max-md:min-h-11",
    LOOKS[look],
  );
}

export function Button({
  look = "plain",
  pending,
  disabledReason,
  icon,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const blocked = Boolean(pending) || Boolean(disabledReason) || rest.disabled;
  return (
    <button
      type="button"
      {...rest}
      // Stays focusable while blocked, so that the reason can be reached and focus is not lost.
      disabled={undefined}
      aria-disabled={blocked || undefined}
      aria-busy={pending ? true : undefined}
      title={disabledReason ?? rest.title}
      aria-description={disabledReason ?? undefined}
      onClick={(event) => (blocked ? event.preventDefault() : onClick?.(event))}
      className={clsx(buttonClass(look), blocked && "cursor-not-allowed opacity-60", className)}
    >
      {icon}
      <span className="grid">
        <span className={clsx("col-start-1 row-start-1", pending && "invisible")}>{children}</span>
        {pending && <span className="col-start-1 row-start-1">{pending}</span>}
      </span>
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "title"> {
  label: string;
  disabledReason?: string | null | undefined;
  pending?: boolean;
}

/** An icon with a name: the name is its label and its tooltip. */
export function IconButton({ label, disabledReason, pending, className, onClick, ...rest }: IconButtonProps) {
  const blocked = Boolean(disabledReason) || pending;
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      aria-disabled={blocked || undefined}
      aria-busy={pending || undefined}
      aria-description={disabledReason ?? undefined}
      title={disabledReason ? `${label}: ${disabledReason}` : label}
      onClick={(event) => (blocked ? event.preventDefault() : onClick?.(event))}
      className={clsx(
        "inline-flex size-8 items-center justify-center rounded-md hover:bg-s3 max-md:size-11",
        blocked && "cursor-not-allowed opacity-45",
        className,
      )}
    />
  );
}
