import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { StopStatus } from "@/api/models";
import { meQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { announce } from "@/ui/notices";

const WHOSE = { user: "Your bots", everybody: "Everybody's bots" } as const;

/** What is stopped and since when, and the way back: released stops start nothing. */
export default function ReleaseStop({ status, onClose }: { status: StopStatus; onClose: () => void }) {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const release = useMutation({
    mutationFn: (everybody: boolean) =>
      api.post<StopStatus>("/api/system/emergency-stop/disable", { everybody }),
    onSuccess: (now) => {
      client.setQueryData(keys.stop, now);
      if (now.active) return;
      announce("The emergency stop is released. Bots stay paused until you resume them.");
      onClose();
    },
    onError: (error) => announce(`Could not release: ${error.message}`, "critical"),
  });
  return (
    <Dialog title="Emergency stop" open onClose={onClose}>
      <p>
        Nothing that adds risk leaves. Positions can be closed, and protective stops stay. Releasing starts
        nothing: the paused bots stay paused until you resume them.
      </p>
      <ul className="mt-3 flex flex-col gap-3">
        {status.stops.map((stop) => {
          const everybody = stop.scope === "everybody";
          const mayNot = everybody && me?.role !== "admin" ? "Only an admin can release this one." : null;
          return (
            <li key={stop.scope} className="flex flex-wrap items-center justify-between gap-2">
              <span>
                <strong className="font-medium">{WHOSE[stop.scope]}</strong>, since{" "}
                <Moment at={stop.engaged_at} />: {stop.reason}
              </span>
              <Button
                disabledReason={mayNot}
                pending={release.isPending && "Releasing…"}
                onClick={() => release.mutate(everybody)}
              >
                Release
              </Button>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
