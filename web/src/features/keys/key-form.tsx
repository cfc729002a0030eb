import { type FormEvent, useRef, useState } from "react";
import type { Provider } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { type KeyParts, useSaveKey, useTryKey } from "./actions";
import { Verdict } from "./key-facts";

/** The field's hint, which stays above it, says what one looks like. */
const NOT_ONE = "This does not look like one. Copy it again, whole and without spaces.";

interface KeyFormProps {
  provider: Provider;
  /** A key is there already, and this one would take its place; this leaves the form without. */
  onCancel?: (() => void) | undefined;
  onSaved: () => void;
}

/** The provider's own fields. What is typed leaves this form only to be saved or tested, and is then gone. */
export function KeyForm({ provider, onCancel, onSaved }: KeyFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const save = useSaveKey(provider);
  const attempt = useTryKey(provider);

  const read = (): KeyParts | null => {
    const fields = new FormData(form.current ?? undefined);
    const parts: KeyParts = {};
    const problems: Record<string, string> = {};
    for (const { name, pattern, label } of provider.fields) {
      const value = String(fields.get(name) ?? "").trim();
      parts[name] = value;
      if (!value) problems[name] = `Paste the ${label.toLowerCase()}.`;
      else if (!new RegExp(`^(?:${pattern})$`, "u").test(value)) problems[name] = NOT_ONE;
    }
    setWrong(problems);
    return Object.keys(problems).length === 0 ? parts : null;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parts = read();
    attempt.reset();
    if (!parts) return;
    save.mutate(parts, {
      onSuccess: () => {
        form.current?.reset();
        onSaved();
      },
    });
  };
  const tryOut = () => {
    const parts = read();
    save.reset();
    if (parts) attempt.mutate(parts);
  };
  return (
    <form ref={form} noValidate onSubmit={submit} className="flex flex-col gap-3" autoComplete="off">
      {provider.fields.map((field, index) => (
        <TextField
          key={field.name}
          label={field.label}
          name={field.name}
          // The identifying part can be read back against the exchange's page; the rest is masked.
          type={field.name === "api_key" && provider.fields.length > 1 ? "text" : "password"}
          // The button that opened the form is gone: without this the keyboard would be nowhere.
          autoFocus={index === 0 && onCancel !== undefined}
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          data-1p-ignore
          data-lpignore="true"
          hint={field.hint}
          error={wrong[field.name]}
        />
      ))}
      <FormError error={save.error ?? attempt.error} />
      {attempt.data && (
        <div role="status" className="rounded-md border border-line-2 bg-s2 px-3 py-2">
          <p className="font-semibold">{attempt.data.status_display}. Nothing was saved.</p>
          <Verdict result={attempt.data} />
        </div>
      )}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" pending={save.isPending && "Saving…"}>
          {onCancel ? "Replace and test" : "Save and test"}
        </Button>
        <Button pending={attempt.isPending && "Testing…"} onClick={tryOut}>
          Test without saving
        </Button>
        {onCancel && <Button onClick={onCancel}>Keep the present key</Button>}
      </div>
    </form>
  );
}
