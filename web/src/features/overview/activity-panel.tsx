import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pause, Play } from "lucide-react";
import type { ActivityItem } from "@/api/models";
import { activityQuery } from "@/api/queries";
import { ActivityRow } from "@/features/activity/activity-item";
import { useHeldFeed } from "@/features/activity/use-held-feed";
import { Button, IconButton } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";

const SHOWN = 20;
const NOTHING: ActivityItem[] = [];

/** The last events as they happen. It can be held, and then says how many wait. */
export function ActivityPanel() {
  const query = useQuery(activityQuery);
  const feed = useHeldFeed(query.data?.items ?? NOTHING);
  return (
    <Panel
      title="Activity"
      actions={
        <>
          {feed.waiting > 0 && (
            <Button className="min-h-7! px-2 text-sm" onClick={feed.release}>
              {feed.waiting} new
            </Button>
          )}
          <IconButton
            label={feed.held ? "Let the list move" : "Hold the list still"}
            aria-pressed={feed.held}
            onClick={feed.held ? feed.release : feed.hold}
          >
            {feed.held ? <Play aria-hidden className="size-4" /> : <Pause aria-hidden className="size-4" />}
          </IconButton>
        </>
      }
    >
      <Loaded query={query} what="the activity" rows={8}>
        {() =>
          feed.shown.length === 0 ? (
            <Empty>
              Nothing has happened yet. Starts, decisions to trade, fills and alerts appear here as they
              happen.
            </Empty>
          ) : (
            <ScrollRegion label="The last events" maxHeight={420} className="overflow-y-auto">
              <ol>
                {feed.shown.slice(0, SHOWN).map((item) => (
                  <ActivityRow key={item.seq} item={item} />
                ))}
              </ol>
            </ScrollRegion>
          )
        }
      </Loaded>
      <p className="border-t border-line px-4 py-2 text-sm">
        <Link to="/activity" className="link">
          All activity
        </Link>
      </p>
    </Panel>
  );
}
