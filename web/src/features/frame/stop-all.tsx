import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Square } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { StopStatus } from "@/api/models";
import { stopQuery } from "@/api/queries";
import { usePrefs } from "@/fmt/prefs";
import { formatClock } from "@/fmt/time";
import { isReachable, useConnection } from "@/live/connection";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

const ReleaseStop = lazy(() => import("./release-stop"));

/** Engages the emergency stop for one's own bots, or as an admin for everybody's. */
export function useStopAll() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (everybody: boolean) => api.post<StopStatus>("/api/system/emergency-stop", { everybody }),
    onSuccess: (status) => {
      client.setQueryData(keys.stop, status);
      const at = formatClock(Date.now(), usePrefs.getState().zone);
      announce(`Stopped at ${at}. Bots are paused, open positions stay open.`);
    },
    onError: (error) => announce(`Could not stop: ${error.message}`, "critical"),
  });
}

/** One press, no question: stopping must never be harder than starting. Releasing asks. */
export function StopAll() {
  const stop = useStopAll();
  const { data } = useQuery(stopQuery);
  const reachable = useConnection(({ state }) => isReachable(state));
  const [asked, setAsked] = useState(false);
  if (data?.active) {
    return (
      <>
        <Button
          title={`${data.reason}. Release the stop …`}
          onClick={() => setAsked(true)}
          className="h-8 min-h-8! border-danger! px-2.5"
        >
          Stopped
        </Button>
        {asked && (
          <Suspense>
            <ReleaseStop status={data} onClose={() => setAsked(false)} />
          </Suspense>
        )}
      </>
    );
  }
  return (
    <Button
      look="danger"
      pending={stop.isPending && "Stopping…"}
      disabledReason={
        reachable ? null : "The server does not answer. Stop it where it runs: amarktai emergency-stop."
      }
      title="Emergency stop: no new risk, bots paused (Ctrl Shift .)"
      icon={<Square aria-hidden className="size-3 fill-current max-sm:hidden" />}
      onClick={() => stop.mutate(false)}
      className="h-8 min-h-8! px-2.5"
    >
      Stop all
    </Button>
  );
}
