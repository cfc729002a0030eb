import { useMutation } from "@tanstack/react-query";
import { Square } from "lucide-react";
import { api } from "@/api/client";
import type { BulkResult } from "@/api/models";
import { usePrefs } from "@/fmt/prefs";
import { formatClock } from "@/fmt/time";
import { isReachable, useConnection } from "@/live/connection";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

/** What a bulk action did, in one sentence: how many changed, and why the others did not. */
export function bulkSentence(verb: string, { changed, skipped }: BulkResult): string {
  const bots = changed === 1 ? "1 bot" : `${changed} bots`;
  const rest = skipped.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  return rest ? `${verb} ${bots}. Not changed: ${rest}` : `${verb} ${bots}`;
}

export function useStopAll() {
  return useMutation({
    mutationFn: () => api.post<BulkResult>("/api/bots/pause-all"),
    onSuccess: (result) => {
      const at = formatClock(Date.now(), usePrefs.getState().zone);
      announce(`${bulkSentence("Paused", result)} at ${at}. Open positions stay open.`);
    },
    onError: (error) => announce(`Could not stop: ${error.message}`, "critical"),
  });
}

/** One press, no question: stopping must never be harder than starting. */
export function StopAll() {
  const stop = useStopAll();
  const reachable = useConnection(({ state }) => isReachable(state));
  return (
    <Button
      look="danger"
      pending={stop.isPending && "Stopping…"}
      disabledReason={reachable ? null : "The server does not answer. Stop it where it runs."}
      title="Pause every running bot (Ctrl Shift .)"
      icon={<Square aria-hidden className="size-3 fill-current max-sm:hidden" />}
      onClick={() => stop.mutate()}
      className="h-8 min-h-8! px-2.5"
    >
      Stop all
    </Button>
  );
}
