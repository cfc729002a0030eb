import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { AlertItem, Feed } from "@/api/models";
import { alertsQuery, feedsQuery } from "@/api/queries";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { Ago, Countdown, Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";

function Concern({ children, remedy }: { children: ReactNode; remedy: ReactNode }) {
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 border-b border-line px-4 py-2 last:border-0">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-40 flex-1">{children}</span>
      <span className="text-sm text-ink-2">{remedy}</span>
    </li>
  );
}

function AlertConcern({ alert }: { alert: AlertItem }) {
  const client = useQueryClient();
  const acknowledge = useMutation({
    mutationFn: () => api.post(`/api/alerts/${alert.id}/acknowledge`),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.alerts }),
    onError: (error) => announce(`Not acknowledged: ${error.message}`, "warning"),
  });
  return (
    <Concern
      remedy={
        <Button
          className="min-h-7! px-2 text-sm"
          pending={acknowledge.isPending && "Noting…"}
          onClick={() => acknowledge.mutate()}
        >
          Seen
        </Button>
      }
    >
      <strong className="font-semibold">{alert.message}</strong>{" "}
      <span className="text-ink-2">
        <Ago at={alert.created_at} />
      </span>
      {alert.bot_id && (
        <>
          {" "}
          <Link to="/bots/$botId" params={{ botId: alert.bot_id }} className="link">
            Open the bot
          </Link>
        </>
      )}
    </Concern>
  );
}

function FeedConcern({ feed }: { feed: Feed }) {
  return (
    <Concern
      remedy={
        feed.retry_at ? (
          <>
            next try <Countdown to={feed.retry_at} />
          </>
        ) : (
          "We keep trying."
        )
      }
    >
      <strong className="font-semibold">
        {PLATFORM_NAMES[feed.platform]}: prices {feed.state === "stale" ? "are old" : "cannot be reached"}.
      </strong>{" "}
      {feed.message} Its bots make no entries meanwhile.
    </Concern>
  );
}

const isConcern = (feed: Feed) => feed.state === "stale" || feed.state === "unreachable";

/** What needs a person, each with its remedy; and a dated all-clear when nothing does. */
export function AttentionPanel() {
  const alerts = useQuery(alertsQuery);
  const feeds = useQuery(feedsQuery);
  return (
    <Panel title="Needs attention">
      <Loaded query={alerts} what="the alerts" rows={2}>
        {(items) => (
          <Loaded query={feeds} what="the feeds" rows={2}>
            {(all) => {
              const open = items.filter(
                (alert) => alert.acknowledged_at === null && alert.severity !== "info",
              );
              const bad = all.filter(isConcern);
              if (open.length + bad.length > 0) {
                return (
                  <ul>
                    {open.map((alert) => (
                      <AlertConcern key={alert.id} alert={alert} />
                    ))}
                    {bad.map((feed) => (
                      <FeedConcern key={feed.platform + feed.origin} feed={feed} />
                    ))}
                  </ul>
                );
              }
              const checkedAt = new Date(Math.min(alerts.dataUpdatedAt, feeds.dataUpdatedAt)).toISOString();
              return (
                <p className="flex items-center gap-2 px-4 pt-1 pb-3 text-ink-2">
                  <CircleCheck aria-hidden className="size-4" />
                  <span>
                    No alerts, feeds in order. Read at <Moment at={checkedAt} clockOnly />.
                  </span>
                </p>
              );
            }}
          </Loaded>
        )}
      </Loaded>
    </Panel>
  );
}
