import { useQuery } from "@tanstack/react-query";
import { feedsQuery } from "@/api/queries";
import { PLATFORM_NAMES } from "@/features/bots/words";
import { Ago, Countdown } from "@/ui/age";
import { OriginChip } from "@/ui/chip";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { FeedStatus } from "./feed-status";

/** Where prices come from and how fresh they are, feed by feed. */
export function FeedTable() {
  const query = useQuery(feedsQuery);
  return (
    <Panel title="Price feeds">
      <Loaded query={query} what="the feeds" rows={3}>
        {(feeds) =>
          feeds.length === 0 ? (
            <Empty>No feed runs yet. The engine opens one for each platform it can reach.</Empty>
          ) : (
            <ScrollRegion label="Price feeds">
              <table className="ledger">
                <thead>
                  <tr>
                    <th scope="col">Platform</th>
                    <th scope="col">State</th>
                    <th scope="col">Last price</th>
                    <th scope="col" className="num">
                      Markets
                    </th>
                    <th scope="col">What it says</th>
                  </tr>
                </thead>
                <tbody>
                  {feeds.map((feed) => (
                    <tr key={feed.platform + feed.origin}>
                      <td className="whitespace-nowrap">
                        {PLATFORM_NAMES[feed.platform]} <OriginChip origin={feed.origin} />
                      </td>
                      <td>
                        <FeedStatus state={feed.state} ageSeconds={null} />
                      </td>
                      <td>
                        <Ago at={feed.last_received_at} reason="No price has arrived yet." />
                      </td>
                      <td className="num">{feed.instruments}</td>
                      <td className="text-ink-2">
                        {feed.message}
                        {feed.retry_at && (
                          <>
                            {" "}
                            Next try <Countdown to={feed.retry_at} />.
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          )
        }
      </Loaded>
    </Panel>
  );
}
