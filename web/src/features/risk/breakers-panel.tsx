import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { Breaker } from "@/api/models";
import { breakersQuery, tripsQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { LIMIT_WORDS } from "./limit-words";

const ResetBreaker = lazy(() => import("./reset-breaker"));

/** Limits that were reached and let nothing enter until they are reset, and those of before. */
export function BreakersPanel() {
  const query = useQuery(breakersQuery);
  const trips = useQuery(tripsQuery);
  const [asked, setAsked] = useState<Breaker | null>(null);
  const past = trips.data?.items.filter((trip) => !trip.tripped) ?? [];
  return (
    <Panel title="Circuit breakers">
      <Loaded query={query} what="the circuit breakers" rows={2}>
        {({ breakers, mode }) =>
          breakers.length === 0 ? (
            <Empty>
              Nothing is tripped on {mode === "live" ? "real" : "simulated"} money. A limit of loss, fall,
              losing streak or errors that is reached stops every entry until it is reset.
            </Empty>
          ) : (
            <ul className="divide-y divide-line">
              {breakers.map((trip) => (
                <Tripped key={trip.id} trip={trip} onReset={() => setAsked(trip)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {past.length > 0 && (
        <details className="border-t border-line px-4 py-2">
          <summary className="cursor-pointer text-sm text-ink-2">Tripped before: {past.length}</summary>
          <ul className="divide-y divide-line text-sm">
            {past.map((trip) => (
              <li key={trip.id} className="py-2">
                <Moment at={trip.tripped_at} /> ({trip.mode}): {trip.trigger_reason}.{" "}
                <span className="text-ink-2">
                  Reset {trip.reset_by === "system:rule" ? "by the next day" : "by a person"}
                  {trip.reset_at && (
                    <>
                      , <Moment at={trip.reset_at} />
                    </>
                  )}
                  {trip.reset_reason && `: ${trip.reset_reason}`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {asked && (
        <Suspense>
          <ResetBreaker trip={asked} onClose={() => setAsked(null)} />
        </Suspense>
      )}
    </Panel>
  );
}

function Tripped({ trip, onReset }: { trip: Breaker; onReset: () => void }) {
  const mayNot = trip.can_reset ? null : "Only an admin resets everybody's.";
  return (
    <li
      data-breaker={trip.trigger_type}
      className="flex flex-wrap items-center justify-between gap-2 px-4 py-3"
    >
      <div className="min-w-0">
        <p>
          <strong className="font-medium text-loss">{LIMIT_WORDS[trip.trigger_type].name}</strong>
          {trip.entity_name && ` of ${trip.entity_name}`}: nothing enters
          {trip.resets_at ? (
            <>
              {" "}
              before <Moment at={trip.resets_at} />
            </>
          ) : (
            " until a person resets it"
          )}
          .
        </p>
        <p className="text-sm text-ink-2">
          Tripped <Moment at={trip.tripped_at} />: {trip.trigger_reason}. Exits still leave.
        </p>
      </div>
      <Button disabledReason={mayNot} onClick={onReset}>
        Reset …
      </Button>
    </li>
  );
}
