import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { ModeName, SystemMode } from "@/api/models";
import { modeQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";

const GoLive = lazy(() => import("./go-live"));

const CARDS: { mode: ModeName; name: string; text: string }[] = [
  {
    mode: "paper",
    name: "Paper",
    text: "Simulated money on real prices. Live bots only close what they hold.",
  },
  {
    mode: "autopilot",
    name: "Autopilot",
    text: "The platform runs its bots; on paper until the live gate is passed.",
  },
  { mode: "live", name: "Live", text: "Live bots trade with real money, within the limits." },
];

const MONEY = { paper: "simulated money", live: "real money" } as const;

/** The three modes, of which exactly one is on, and the way from each to the others. */
export function ModePanel({ isAdmin }: { isAdmin: boolean }) {
  const query = useQuery(modeQuery);
  return (
    <Panel title="Mode">
      <Loaded query={query} what="the mode" rows={3}>
        {(mode) => <Cards mode={mode} isAdmin={isAdmin} />}
      </Loaded>
    </Panel>
  );
}

function Cards({ mode, isAdmin }: { mode: SystemMode; isAdmin: boolean }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState(false);
  const change = useMutation({
    mutationFn: (to: ModeName) => api.post<SystemMode>("/api/system/mode/switch", { mode: to }),
    // The event that everybody gets says it aloud.
    onSuccess: (now) => client.setQueryData(keys.mode, now),
    onError: (error) => announce(`Could not switch: ${error.message}`, "critical"),
  });
  return (
    <div className="px-4 pb-4">
      <p className="pb-3 text-ink-2">
        {mode.message} Since <Moment at={mode.updated_at} />.
      </p>
      <ul className="grid gap-3 md:grid-cols-3">
        {CARDS.map((card) => {
          const isOn = card.mode === mode.mode;
          const mayNot = card.mode !== "paper" && !isAdmin ? "Only an admin switches to this mode." : null;
          return (
            <li
              key={card.mode}
              aria-current={isOn || undefined}
              className="flex flex-col gap-2 rounded-md border border-line p-3 aria-[current]:border-ink"
            >
              <h3 className="font-semibold">
                {card.name}
                {isOn && <span className="font-normal text-ink-2"> · on, {MONEY[mode.base]}</span>}
              </h3>
              <p className="grow text-sm text-ink-2">{card.text}</p>
              {!isOn && (
                <Button
                  disabledReason={mayNot}
                  pending={change.isPending && change.variables === card.mode && "Switching…"}
                  onClick={() => (card.mode === "live" ? setAsked(true) : change.mutate(card.mode))}
                >
                  {card.mode === "live" ? "Go live …" : `Switch to ${card.mode}`}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {asked && (
        <Suspense>
          <GoLive onClose={() => setAsked(false)} />
        </Suspense>
      )}
    </div>
  );
}
