import { useQuery } from "@tanstack/react-query";
import { Check, TriangleAlert } from "lucide-react";
import { accountsQuery, verifyQuery } from "@/api/book-queries";
import { botsQuery } from "@/api/queries";
import { useCurrentMode } from "@/features/frame/use-mode";
import type { LedgerSearch } from "@/routes/_app.ledger";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { FilterSelect } from "@/ui/field";
import { PageHead } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { Unknown } from "@/ui/unknown";
import { AccountTable } from "./account-table";
import { BookTabs } from "./book-tabs";
import { EntryList } from "./entry-list";
import { Statement } from "./statement";

export const KINDS = ["funding", "allocation", "conversion", "fill", "release"] as const;

interface LedgerScreenProps {
  search: LedgerSearch;
  onSearch: (search: LedgerSearch) => void;
}

/** The double entry beneath every figure: accounts, their statements, and all entries. */
export function LedgerScreen({ search, onSearch }: LedgerScreenProps) {
  const mode = useCurrentMode();
  const accounts = useQuery(accountsQuery("", mode));
  const { account, asset, kind, bot_id } = search;
  const open = account !== undefined && asset !== undefined;
  return (
    <>
      <PageHead title="Ledger" note={<Proof />} />
      <BookTabs />
      {!open && <EntryFilterBar search={search} onSearch={onSearch} assets={accounts.data ?? []} />}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        {open ? (
          <div className="flex min-w-0 flex-col gap-3">
            <div>
              <Button onClick={() => onSearch({})}>Show all entries</Button>
            </div>
            <Statement
              account={account}
              asset={asset}
              mode={mode}
              botName={accounts.data?.find((line) => line.account === account)?.bot_name ?? null}
            />
          </div>
        ) : (
          <EntryList filters={{ asset, kind, bot_id }} onClear={() => onSearch({})} />
        )}
        <Loaded query={accounts} what="the accounts" rows={6}>
          {(lines) => <AccountTable accounts={lines} shown={`${account} ${asset}`} />}
        </Loaded>
      </div>
    </>
  );
}

/** Whether the chain and all balances were recomputed without a difference, and when. */
function Proof() {
  const { data } = useQuery(verifyQuery);
  if (!data) return <Unknown reason="The check has not answered yet." />;
  const Icon = data.ok ? Check : TriangleAlert;
  return (
    <span className="inline-flex flex-wrap items-center gap-1">
      <Icon aria-hidden className="size-4" />
      {data.ok ? "Verified" : "NOT verified"}: {data.entries_checked} entries recomputed at{" "}
      <Moment at={data.checked_at} clockOnly />
      {data.first_difference && <strong>{data.first_difference}</strong>}
    </span>
  );
}

interface EntryFilterBarProps extends LedgerScreenProps {
  assets: { asset: string }[];
}

function EntryFilterBar({ search, onSearch, assets }: EntryFilterBarProps) {
  const { data: bots } = useQuery(botsQuery);
  const set = (name: "kind" | "asset" | "bot_id") => (event: { target: { value: string } }) => {
    const { [name]: _, ...rest } = search;
    onSearch(event.target.value ? { ...rest, [name]: event.target.value } : rest);
  };
  return (
    <search className="flex flex-wrap gap-2">
      <FilterSelect label="Kind" value={search.kind ?? ""} onChange={set("kind")}>
        <option value="">Every kind</option>
        {KINDS.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </FilterSelect>
      <FilterSelect label="Asset" value={search.asset ?? ""} onChange={set("asset")}>
        <option value="">Every asset</option>
        {[...new Set(assets.map(({ asset }) => asset))].sort().map((each) => (
          <option key={each}>{each}</option>
        ))}
      </FilterSelect>
      <FilterSelect
        label="Bot"
        value={search.bot_id ?? ""}
        onChange={set("bot_id")}
        className="control max-w-[min(12rem,100%)]"
      >
        <option value="">All bots</option>
        {bots?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </FilterSelect>
    </search>
  );
}
