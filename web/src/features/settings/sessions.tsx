import { useQuery } from "@tanstack/react-query";
import { sessionsQuery } from "@/api/account-queries";
import { keys } from "@/api/keys";
import { Ago } from "@/ui/age";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { programOf } from "./program";
import { useRemove } from "./remove";

/** Where one is signed in; each session can be ended from here. */
export function Sessions() {
  const query = useQuery(sessionsQuery);
  const end = useRemove(keys.sessions, "Session ended");
  return (
    <Panel title="Sessions">
      <Loaded query={query} what="the sessions" rows={2}>
        {(sessions) => (
          <ul>
            {sessions.map((session) => (
              <li
                key={session.id}
                className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-2"
              >
                <span className="min-w-0 grow basis-40">
                  <span className="block truncate" title={session.user_agent ?? undefined}>
                    {programOf(session.user_agent)}
                  </span>
                  <span className="block text-sm text-ink-2">
                    {session.ip ?? "unknown address"}, seen{" "}
                    <Ago at={session.last_seen_at ?? session.created_at} />
                  </span>
                </span>
                {session.current ? (
                  <Chip>this one</Chip>
                ) : (
                  <Button
                    pending={end.isPending && end.variables.endsWith(session.id) && "Ending…"}
                    onClick={() => end.mutate(`/api/auth/sessions/${session.id}`)}
                  >
                    End
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
