interface SwitchProps {
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ label, on, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      onClick={() => onChange(!on)}
      className="group inline-flex min-h-8 items-center gap-2 max-md:min-h-11"
    >
      <span
        aria-hidden
        className="flex h-5 w-9 items-center rounded-full border border-line-2 px-0.5 group-aria-checked:justify-end group-aria-checked:bg-ink"
      >
        <span className="size-3.5 rounded-full bg-ink-2 group-aria-checked:bg-bg" />
      </span>
      <span aria-hidden className="w-6 text-sm text-ink-2">
        {on ? "On" : "Off"}
      </span>
    </button>
  );
}
