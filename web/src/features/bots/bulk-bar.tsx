import type { Bot } from "@/api/models";
import { isReachable, useConnection } from "@/live/connection";
import { Button } from "@/ui/button";
import { useBulkAction } from "./actions";

/** What can be done with the chosen bots; says beforehand how many it will touch. */
export function BulkBar({ bots, onClear }: { bots: Bot[]; onClear: () => void }) {
  const bulk = useBulkAction();
  const reachable = useConnection(({ state }) => isReachable(state));
  if (bots.length === 0) return null;
  const pausable = bots.filter((bot) => bot.can_pause);
  const startable = bots.filter((bot) => bot.can_start);
  const reason = (some: Bot[], word: string) =>
    reachable
      ? some.length
        ? null
        : `None of the chosen bots can be ${word}.`
      : "The server does not answer.";
  const pending = (action: "pause" | "start") => bulk.isPending && bulk.variables.action === action;
  return (
    <section
      aria-label="Chosen bots"
      className="panel sticky top-12 z-20 flex flex-wrap items-center gap-2 px-3 py-2"
    >
      <span className="mr-2 font-medium">{bots.length} chosen</span>
      <Button
        pending={pending("pause") && "Pausing…"}
        disabledReason={reason(pausable, "paused")}
        onClick={() => bulk.mutate({ action: "pause", bots: pausable })}
      >
        Pause {pausable.length}
      </Button>
      <Button
        pending={pending("start") && "Starting…"}
        disabledReason={reason(startable, "started")}
        onClick={() => bulk.mutate({ action: "start", bots: startable })}
      >
        Start {startable.length}
      </Button>
      <Button look="quiet" className="ml-auto" onClick={onClear}>
        Choose none
      </Button>
    </section>
  );
}
