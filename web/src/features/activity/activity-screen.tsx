import { useQuery } from "@tanstack/react-query";
import type { ActivityItem } from "@/api/models";
import { activityQuery } from "@/api/queries";
import { handledEvents } from "@/live/events";
import { Button } from "@/ui/button";
import { FilterSelect } from "@/ui/field";
import { PageHead } from "@/ui/panel";
import { Empty, Loaded } from "@/ui/state";
import { ActivityRow } from "./activity-item";
import { ActivityTabs } from "./activity-tabs";
import { useHeldFeed } from "./use-held-feed";

interface ActivityScreenProps {
  type: string | undefined;
  onType: (type: string | undefined) => void;
}

const NOTHING: ActivityItem[] = [];

/** What happened, newest first, as it happens; it can be held still while one reads. */
export function ActivityScreen({ type, onType }: ActivityScreenProps) {
  const query = useQuery(activityQuery);
  const feed = useHeldFeed(query.data?.items ?? NOTHING);
  const shown = feed.shown.filter((item) => !type || item.type === type);
  return (
    <>
      <PageHead
        title="Activity"
        note="market, bots, orders and money of yours"
        actions={
          <>
            {feed.waiting > 0 && <Button onClick={feed.release}>{feed.waiting} new: show</Button>}
            <Button onClick={feed.held ? feed.release : feed.hold}>
              {feed.held ? "Let it move" : "Hold still"}
            </Button>
          </>
        }
      />
      <ActivityTabs />
      <search>
        <FilterSelect
          label="Kind"
          value={type ?? ""}
          onChange={(event) => onType(event.target.value || undefined)}
        >
          <option value="">Every kind</option>
          {handledEvents.map((name) => (
            <option key={name} value={name}>
              {name.replaceAll("_", " ")}
            </option>
          ))}
        </FilterSelect>
      </search>
      <section aria-label="Events" className="panel">
        <Loaded query={query} what="the activity" rows={12}>
          {() =>
            shown.length === 0 ? (
              <Empty action={type && <Button onClick={() => onType(undefined)}>Show every kind</Button>}>
                {type
                  ? `None of the last events is of the kind "${type.replaceAll("_", " ")}".`
                  : "Nothing has happened yet."}
              </Empty>
            ) : (
              <ol>
                {shown.map((item) => (
                  <ActivityRow key={item.seq} item={item} />
                ))}
              </ol>
            )
          }
        </Loaded>
      </section>
    </>
  );
}
