import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { MarketChoice } from "@/api/models";
import { meQuery } from "@/api/queries";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

export type Source = MarketChoice["source"];

const OFFERS: Record<Source, { button: string; done: string }> = {
  sandbox: {
    button: "Use the sandbox market",
    done: "The sandbox market starts. Its prices are made up and labelled SYNTHETIC everywhere.",
  },
  live: {
    button: "Use the exchanges' live prices",
    done: "The engine connects to the exchanges. Bots made in the sandbox rest until it is back.",
  },
};

/** Lets an admin choose the other market; says to others who can. The screens follow by themselves. */
export function MarketSwitch({ to, onSwitched }: { to: Source; onSwitched?: (source: Source) => void }) {
  const { data: me } = useQuery(meQuery);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => api.post("/api/system/market", { source: to }),
    onSuccess: () => {
      announce(OFFERS[to].done);
      void client.invalidateQueries({ queryKey: keys.feeds });
      onSwitched?.(to);
    },
  });
  if (me?.role !== "admin") return <span>An admin can switch to the {to} market.</span>;
  return (
    <span className="flex flex-col items-start gap-1">
      <Button pending={change.isPending && "Switching…"} onClick={() => change.mutate()}>
        {OFFERS[to].button}
      </Button>
      {change.error && <span role="alert">{change.error.message}</span>}
    </span>
  );
}
