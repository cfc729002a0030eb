import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { ApiKey, KeyTest } from "@/api/models";
import { Moment } from "@/ui/age";
import { Unknown } from "@/ui/unknown";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-2">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

const WORDS: Record<string, string> = { link_bank: "link bank accounts" };

/** What a test found: the provider's words, what to do, rights, addresses, warnings. */
export function Verdict({ result }: { result: ApiKey | KeyTest }) {
  return (
    <div className="flex flex-col gap-2">
      {result.message && <p className="max-w-[72ch]">{result.message}</p>}
      {result.action && <p className="max-w-[72ch] text-ink-2">{result.action}</p>}
      {result.warnings.map((warning) => (
        <p key={warning} className="flex max-w-[72ch] gap-2 font-medium">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>{warning}</span>
        </p>
      ))}
    </div>
  );
}

function rightsOf({ rights, rights_complete, display_name }: ApiKey): string {
  const told = rights?.map((right) => WORDS[right] ?? right).join(", ") || "nothing";
  return rights_complete ? told : `${told}; what else, ${display_name} does not tell`;
}

function addresses(row: ApiKey): ReactNode {
  if (row.ip_allow_list.length > 0) return row.ip_allow_list.join(", ");
  if (row.is_ip_restricted === true) return "Restricted; the exchange does not say to which";
  if (row.is_ip_restricted === false) return "Any address";
  return <Unknown reason={`${row.display_name} does not tell.`} />;
}

/** Everything that is shown of a saved key; never the key. */
export function KeyFacts({ row }: { row: ApiKey }) {
  const exchange = row.type === "exchange";
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
      <Fact name="Key">
        <code className="font-mono">••••{row.hint}</code>
      </Fact>
      <Fact name="Fingerprint">
        <code className="font-mono">{row.fingerprint}</code>
      </Fact>
      <Fact name="Saved">
        <Moment at={row.updated_at} />
      </Fact>
      <Fact name="Tested">
        {row.last_tested_at ? (
          <>
            <Moment at={row.last_tested_at} />
            {row.latency_ms !== null && `, ${row.latency_ms} ms`}
          </>
        ) : (
          "Not yet"
        )}
      </Fact>
      {exchange && (
        <Fact name="May">
          {row.rights ? rightsOf(row) : <Unknown reason="It is not known before a test has passed." />}
        </Fact>
      )}
      {exchange && <Fact name="Works from">{addresses(row)}</Fact>}
      {row.seen_ip && <Fact name="Our address there">{row.seen_ip}</Fact>}
    </dl>
  );
}
