import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { ApiKey, ApiKeyList, Provider } from "@/api/models";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useTestKey } from "./actions";
import { DeleteKey } from "./delete-key";
import { KeyFacts, Verdict } from "./key-facts";
import { KeyForm } from "./key-form";
import { KeyHelp } from "./key-help";
import { KeyStatus } from "./key-status";
import { StandIn } from "./stand-in";

interface KeyDrawerProps {
  provider: Provider;
  row: ApiKey;
  address: ApiKeyList["address"];
  mayWrite: boolean;
  onClose: () => void;
}

/** One provider: its key as far as it may be seen, what can be done with it, and how to get one. */
export function KeyDrawer({ provider, row, address, mayWrite, onClose }: KeyDrawerProps) {
  const [replacing, setReplacing] = useState(false);
  const saved = row.status !== "not_configured";
  return (
    <Dialog title={provider.display_name} side open onClose={onClose}>
      <div className="flex flex-col gap-5">
        <div>
          <p className="text-ink-2">{provider.description}</p>
          <StandIn provider={provider} />
        </div>
        <p>
          <KeyStatus row={row} />
        </p>
        {row.account_state === "halted" && <Halted row={row} />}
        {saved && (
          <Saved
            provider={provider}
            row={row}
            mayWrite={mayWrite}
            onReplace={replacing ? undefined : () => setReplacing(true)}
          />
        )}
        {!mayWrite && (
          <p className="text-ink-2">Viewers change no keys. An administrator can change your role.</p>
        )}
        {mayWrite && (!saved || replacing) && (
          <KeyForm
            provider={provider}
            onCancel={saved ? () => setReplacing(false) : undefined}
            onSaved={() => setReplacing(false)}
          />
        )}
        <KeyHelp provider={provider} address={address} />
      </div>
    </Dialog>
  );
}

function Halted({ row }: { row: ApiKey }) {
  return (
    <p role="alert" className="flex gap-2 rounded-md border border-line-2 bg-s2 px-3 py-2 font-medium">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>
        Halted: no live order that adds risk goes to {row.display_name}. {row.account_reason} A test of a safe
        key opens it again.
      </span>
    </p>
  );
}

interface SavedProps {
  provider: Provider;
  row: ApiKey;
  mayWrite: boolean;
  /** Absent while the form for another key is open. */
  onReplace: (() => void) | undefined;
}

function Saved({ provider, row, mayWrite, onReplace }: SavedProps) {
  const test = useTestKey(provider);
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <Verdict result={row} />
      <KeyFacts row={row} />
      {mayWrite && (
        <div className="flex flex-wrap gap-2">
          <Button look="primary" pending={test.isPending && "Testing…"} onClick={() => test.mutate()}>
            Test now
          </Button>
          {onReplace && <Button onClick={onReplace}>Replace</Button>}
          <Button onClick={() => setDeleting(true)}>Delete</Button>
        </div>
      )}
      {deleting && <DeleteKey provider={provider} onClose={() => setDeleting(false)} />}
    </>
  );
}
