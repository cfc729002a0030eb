import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef } from "react";
import { api } from "@/api/client";
import type { Enrolment } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";
import { withProof } from "./proof";
import { CodeField } from "./proof-fields";

interface EnrolmentFormProps {
  enrolment: Enrolment;
  onCancel: () => void;
  onCodes: (codes: string[]) => void;
}

/** The QR code, the same as text for those who cannot scan, and the first code as proof that it arrived. */
export function EnrolmentForm({ enrolment, onCancel, onCodes }: EnrolmentFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const confirm = useMutation({
    mutationFn: (code: string) =>
      withProof(() => api.post<{ recovery_codes: string[] }>("/api/auth/factors/totp/confirm", { code })),
    onSuccess: ({ recovery_codes }) => {
      announce("Second factor switched on");
      onCodes(recovery_codes);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(String(new FormData(form.current ?? undefined).get("code")));
  };
  return (
    <form ref={form} onSubmit={submit} className="flex flex-col gap-3">
      <p>1. Scan this with your authenticator app, or type the key into it.</p>
      <div className="flex flex-wrap items-center gap-4">
        <img
          src={`data:image/svg+xml,${encodeURIComponent(enrolment.svg)}`}
          alt="QR code for your authenticator app"
          className="size-44 rounded-md border border-line"
        />
        <p className="min-w-0 text-sm text-ink-2">
          Key, time-based, 6 digits:
          <code className="mt-1 block font-mono break-all text-ink select-all">
            {enrolment.secret.replace(/(.{4})/g, "$1 ").trim()}
          </code>
        </p>
      </div>
      <p>2. Type the code that the app shows now.</p>
      <CodeField autoFocus first />
      <FormError error={confirm.error} />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" pending={confirm.isPending && "Switching on…"}>
          Switch on
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
