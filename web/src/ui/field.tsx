import type { InputHTMLAttributes, ReactNode, Ref, SelectHTMLAttributes } from "react";
import { useId } from "react";

interface Shell {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

function Described({ label, hint, error, id, children }: Shell & { id: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-ink-2">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-sm font-semibold">
          {error}
        </p>
      )}
    </div>
  );
}

function describedBy(id: string, { hint, error }: Partial<Shell>): string | undefined {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
}

type TextProps = Shell & InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> };

export function TextField({ label, hint, error, ...input }: TextProps) {
  const id = useId();
  return (
    <Described label={label} hint={hint} error={error} id={id}>
      <input
        {...input}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy(id, { hint, error })}
        className="control w-full"
      />
    </Described>
  );
}

type SelectProps = Shell & SelectHTMLAttributes<HTMLSelectElement> & { ref?: Ref<HTMLSelectElement> };

export function SelectField({ label, hint, error, children, ...select }: SelectProps) {
  const id = useId();
  return (
    <Described label={label} hint={hint} error={error} id={id}>
      <select
        {...select}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy(id, { hint, error })}
        className="control w-full"
      >
        {children}
      </select>
    </Described>
  );
}

/** A filter in a toolbar: the label is read, the first option names it for the eye. */
export function FilterSelect({
  label,
  children,
  ...select
}: Shell & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <select {...select} aria-label={label} className="control">
      {children}
    </select>
  );
}
