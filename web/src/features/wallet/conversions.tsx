import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { entriesQuery } from "@/api/book-queries";
import type { LedgerEntry } from "@/api/models";
import { botsQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { incoming } from "./fundings";

const textOf = (value: unknown) => (typeof value === "string" ? value : null);

/** Every change of currency: what was given, what came, at which rate, from where and of when. */
export function Conversions() {
  const query = useInfiniteQuery(entriesQuery({ kind: "conversion" }));
  return (
    <Panel title="Conversions" note="rates are rand for one unit of the other currency">
      <Loaded query={query} what="the conversions" rows={4}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          if (entries.length === 0) {
            return (
              <Empty>
                No money changed its currency yet. It does when a bot trades a market that is not in rand.
              </Empty>
            );
          }
          return (
            <ScrollRegion label="Conversions">
              <table className="ledger">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Bot</th>
                    <th scope="col" className="num">
                      Gave
                    </th>
                    <th scope="col" className="num">
                      Got
                    </th>
                    <th scope="col" className="num">
                      Rate
                    </th>
                    <th scope="col">Source and time of the rate</th>
                    <th scope="col">Entry</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <Row key={entry.id} entry={entry} />
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="border-t border-line p-3">
          <Button
            pending={query.isFetchingNextPage && "Loading…"}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show earlier ones
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Row({ entry }: { entry: LedgerEntry }) {
  const { data: bots } = useQuery(botsQuery);
  const botId = textOf(entry.reference.bot_id);
  const bot = bots?.find(({ id }) => id === botId);
  const given = entry.postings.find(
    ({ account, amount }) => account.startsWith("holding:") && amount.startsWith("-"),
  );
  const got = incoming(entry);
  return (
    <tr>
      <td>
        <Moment at={entry.effective_at} />
      </td>
      <td className="whitespace-nowrap">
        {bot ? (
          <Link to="/bots/$botId" params={{ botId: bot.id }} className="hover:underline">
            {bot.name}
          </Link>
        ) : (
          "a deleted bot"
        )}
      </td>
      <td className="num">
        <Quantity value={given?.amount.replace("-", "")} asset={given?.asset ?? ""} />
      </td>
      <td className="num">
        <Quantity value={got?.amount} asset={got?.asset ?? ""} />
      </td>
      <td className="num">
        <Quantity value={textOf(entry.reference.rate)} maxPlaces={4} />
      </td>
      <td className="whitespace-nowrap text-ink-2">
        {textOf(entry.reference.rate_source)}, <Moment at={textOf(entry.reference.rate_at)} />
      </td>
      <td>
        <Link to="/ledger" search={{ kind: "conversion" }} className="link">
          #{entry.seq}
        </Link>
      </td>
    </tr>
  );
}
