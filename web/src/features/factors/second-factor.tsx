import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "@/api/client";
import { factorsQuery } from "@/api/key-queries";
import { keys } from "@/api/keys";
import type { Enrolment, Factors } from "@/api/models";
import { FormError } from "@/features/session/form-error";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { EnrolmentForm } from "./enrolment-form";
import { withProof } from "./proof";
import { RecoveryCodes } from "./recovery-codes";

/** The second factor: off with the way to set it up, on with its recovery codes and the way to end it. */
export function SecondFactor() {
  const query = useQuery(factorsQuery);
  const client = useQueryClient();
  const [codes, setCodes] = useState<string[] | null>(null);
  const show = (fresh: string[]) => {
    setCodes(fresh);
    void client.invalidateQueries({ queryKey: keys.factors });
  };
  return (
    <Panel title="Second factor">
      <Loaded query={query} what="the second factor" rows={2}>
        {(factors) => (
          <div className="flex flex-col gap-3 px-4 pb-4">
            {factors.totp_enabled ? <On factors={factors} onCodes={show} /> : <Off onCodes={show} />}
            {codes && <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function Off({ onCodes }: { onCodes: (codes: string[]) => void }) {
  const begin = useMutation({
    mutationFn: () => withProof(() => api.post<Enrolment>("/api/auth/factors/totp")),
  });
  if (begin.data) {
    return <EnrolmentForm enrolment={begin.data} onCancel={() => begin.reset()} onCodes={onCodes} />;
  }
  return (
    <>
      <p className="max-w-[72ch] text-ink-2">
        Off. With an authenticator app on your phone, a stolen password alone opens nothing, and keys are
        changed only with a code.
      </p>
      <FormError error={begin.error} />
      <div>
        <Button pending={begin.isPending && "Preparing…"} onClick={() => begin.mutate()}>
          Set up an authenticator app
        </Button>
      </div>
    </>
  );
}

function On({ factors, onCodes }: { factors: Factors; onCodes: (codes: string[]) => void }) {
  const [asking, setAsking] = useState(false);
  const renew = useMutation({
    mutationFn: () =>
      withProof(() => api.post<{ recovery_codes: string[] }>("/api/auth/factors/recovery-codes")),
    onSuccess: ({ recovery_codes }) => onCodes(recovery_codes),
  });
  const left = factors.recovery_codes_left;
  return (
    <>
      <p>
        On since <Moment at={factors.totp_since} />. {left} of 10 recovery codes left
        {left < 3 && ": make new ones before they run out"}.
      </p>
      <FormError error={renew.error} />
      <div className="flex flex-wrap gap-2">
        <Button pending={renew.isPending && "Making…"} onClick={() => renew.mutate()}>
          Make new recovery codes
        </Button>
        <Button onClick={() => setAsking(true)}>Switch off</Button>
      </div>
      {asking && <SwitchOff onClose={() => setAsking(false)} />}
    </>
  );
}

function SwitchOff({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => withProof(() => api.delete("/api/auth/factors/totp")),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: keys.factors });
      announce("Second factor switched off");
      onClose();
    },
  });
  return (
    <Dialog
      title="Switch the second factor off"
      open
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" pending={end.isPending && "Switching off…"} onClick={() => end.mutate()}>
            Switch off
          </Button>
        </>
      }
    >
      <p>The password alone signs you in then. The app's entry and all recovery codes stop working.</p>
      <FormError error={end.error} />
    </Dialog>
  );
}
