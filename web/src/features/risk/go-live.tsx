import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { SystemMode } from "@/api/models";
import { botsQuery, liveReadinessQuery } from "@/api/queries";
import { withProof } from "@/features/factors/proof";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { ScrollRegion } from "@/ui/scroll-region";
import { Loaded } from "@/ui/state";
import { CheckList, gateWords } from "./check-list";

const WORDS = "CONFIRM_LIVE_TRADING";

/** What happens when real money trades, every check, the words, and proof of who asks. Enter sends nothing. */
export default function GoLive({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const readiness = useQuery(liveReadinessQuery);
  const { data: bots } = useQuery(botsQuery);
  const [typed, setTyped] = useState("");
  const go = useMutation({
    mutationFn: () =>
      withProof(() =>
        api.post<SystemMode>("/api/system/mode/switch", { mode: "live", confirmation_token: typed }),
      ),
    onSuccess: (now) => {
      client.setQueryData(keys.mode, now);
      onClose();
    },
    onError: () => void client.invalidateQueries({ queryKey: keys.liveReadiness }),
  });
  const report = readiness.data;
  const blocked = !report
    ? "The checks are not known yet."
    : !report.ready
      ? gateWords(report)
      : typed !== WORDS
        ? `Type ${WORDS} first.`
        : null;
  const live = bots?.filter((bot) => bot.trading_mode === "live");
  return (
    <Dialog
      title="Trade with real money"
      open
      onClose={onClose}
      footer={
        <>
          <Button data-first onClick={onClose}>
            Cancel
          </Button>
          <Button
            look="danger"
            disabledReason={blocked}
            pending={go.isPending && "Starting…"}
            onClick={() => go.mutate()}
          >
            Start trading real money
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p>
          {live === undefined
            ? "Live bots may enter positions with real money from now on."
            : live.length === 0
              ? "You have no live bot yet: nothing of yours trades until one is promoted. Live bots of others may enter."
              : `From now on these bots of yours may enter with real money: ${live.map(({ name }) => name).join(", ")}.`}{" "}
          Each stays within its own capital and every limit. One press on Stop all ends it.
        </p>
        <ScrollRegion
          label="Checks of the live gate"
          className="-mx-4 overflow-y-auto border-y border-line"
          maxHeight={256}
        >
          <Loaded query={readiness} what="the live gate" rows={6}>
            {(found) => <CheckList report={found} />}
          </Loaded>
        </ScrollRegion>
        <form onSubmit={(event: FormEvent) => event.preventDefault()}>
          <TextField
            label={`Type ${WORDS}`}
            name="confirmation"
            value={typed}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </form>
        <FormError error={go.error} />
      </div>
    </Dialog>
  );
}
