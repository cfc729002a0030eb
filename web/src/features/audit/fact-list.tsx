import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type AuditFilters, auditQuery } from "@/api/book-queries";
import type { AuditFact } from "@/api/models";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { changesOf } from "./changes";

/** Who changed what and when, newest first, from the audit log. */
export function FactList({ filters, links = false }: { filters: AuditFilters; links?: boolean }) {
  const query = useInfiniteQuery(auditQuery(filters));
  return (
    <>
      <Loaded query={query} what="the history" rows={5}>
        {({ pages }) => {
          const facts = pages.flatMap(({ items }) => items);
          if (facts.length === 0) return <Empty>Nothing was changed yet. Each change appears here.</Empty>;
          return (
            <ScrollRegion label="What was changed">
              <table className="ledger">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Who</th>
                    <th scope="col">What</th>
                    <th scope="col">Before and after</th>
                  </tr>
                </thead>
                <tbody>
                  {facts.map((fact) => (
                    <Fact key={fact.seq} fact={fact} links={links} />
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="flex justify-center border-t border-line p-3">
          <Button
            pending={query.isFetchingNextPage && "Loading…"}
            onClick={() => void query.fetchNextPage({ cancelRefetch: false })}
          >
            Show older ones
          </Button>
        </div>
      )}
    </>
  );
}

const words = (name: string) => name.replaceAll(/[._]/g, " ");

function Fact({ fact, links }: { fact: AuditFact; links: boolean }) {
  return (
    <tr className="align-top">
      <td>
        <Moment at={fact.at} />
      </td>
      <td className="whitespace-nowrap">
        {fact.actor_name ?? fact.actor}
        {fact.actor.includes("token:") && <span className="text-ink-2"> by access token</span>}
        {fact.ip && <span className="block text-sm text-ink-2">from {fact.ip}</span>}
      </td>
      <td className="whitespace-nowrap">
        {links && fact.object_type === "bot" ? (
          <Link to="/bots/$botId" params={{ botId: fact.object_id }} className="link">
            {words(fact.action)}
          </Link>
        ) : (
          words(fact.action)
        )}
        {fact.reason && <span className="block text-sm text-ink-2">because: {fact.reason}</span>}
      </td>
      <td>
        <Changes fact={fact} />
      </td>
    </tr>
  );
}

function Changes({ fact }: { fact: AuditFact }) {
  const changes = changesOf(fact);
  if (changes.length === 0) return null;
  return (
    <ul>
      {changes.map(({ name, before, after }) => (
        <li key={name} className="break-words">
          <span className="text-ink-2">{words(name)}</span>{" "}
          {before !== null && <del className="text-ink-2">{before}</del>}{" "}
          {after !== null && <ins className="font-medium no-underline">{after}</ins>}
        </li>
      ))}
    </ul>
  );
}
