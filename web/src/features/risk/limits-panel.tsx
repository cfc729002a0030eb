import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { LimitRow } from "@/api/models";
import { riskQuery } from "@/api/queries";
import { withProof } from "@/features/factors/proof";
import { formatNumber } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";
import { IconButton } from "@/ui/button";
import { Money } from "@/ui/money";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty, Loaded } from "@/ui/state";
import { LimitForm } from "./limit-form";
import { LIMIT_WORDS } from "./limit-words";

const WHOSE = { everybody: "Everybody", user: "You" } as const;

/** What may be lost and held at most, how much of it is used, and a form for another limit. */
export function LimitsPanel({ isAdmin }: { isAdmin: boolean }) {
  const query = useQuery(riskQuery);
  return (
    <Panel title="Limits">
      <Loaded query={query} what="your limits" rows={4}>
        {(risk) => (
          <>
            {risk.limits.length === 0 ? (
              <Empty>No limit is set. Each one binds entries within a second; exits always leave.</Empty>
            ) : (
              <LimitTable rows={risk.limits} book={risk.mode} isAdmin={isAdmin} />
            )}
            <LimitForm isAdmin={isAdmin} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function LimitTable({ rows, book, isAdmin }: { rows: LimitRow[]; book: string; isAdmin: boolean }) {
  return (
    <ScrollRegion label="Limits and their use">
      <table className="w-full text-left">
        <thead>
          <tr className="text-sm text-ink-2">
            <th className="px-4 py-1 font-normal">Limit</th>
            <th className="py-1 font-normal">Binds</th>
            <th className="py-1 text-right font-normal">Used, {book}</th>
            <th className="py-1 pl-4 text-right font-normal">At most</th>
            <th className="px-4 py-1">
              <span className="sr-only">Remove</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={`${row.kind}:${row.bot_id ?? row.scope}`} row={row} isAdmin={isAdmin} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Row({ row, isAdmin }: { row: LimitRow; isAdmin: boolean }) {
  const client = useQueryClient();
  const { name } = LIMIT_WORDS[row.kind];
  const remove = useMutation({
    mutationFn: () =>
      withProof(() =>
        api.delete(`/api/risk/limits/${row.kind}`, {
          scope: row.scope,
          ...(row.bot_id ? { bot_id: row.bot_id } : {}),
        }),
      ),
    onSuccess: () => {
      announce(`${name}: the limit is removed.`);
      void client.invalidateQueries({ queryKey: keys.risk });
    },
    onError: (error) => announce(`Could not remove it: ${error.message}`, "critical"),
  });
  const mayNot = row.scope === "everybody" && !isAdmin ? "Only an admin removes everybody's limits." : null;
  return (
    <tr data-kind={row.kind} className="border-t border-line">
      <td className="px-4 py-2">{name}</td>
      <td className="py-2">{row.scope === "bot" ? (row.bot_name ?? "a bot") : WHOSE[row.scope]}</td>
      <td className="py-2 text-right tabular-nums">
        {row.names ? "" : <Used row={row} isAdmin={isAdmin} />}
      </td>
      <td className="py-2 pl-4 text-right tabular-nums">
        {row.names ? row.names.join(", ") || "none" : <Amount row={row} value={row.amount} />}
      </td>
      <td className="px-4 py-1 text-right">
        <IconButton
          label={`Remove: ${name}`}
          disabledReason={mayNot}
          pending={remove.isPending}
          onClick={() => remove.mutate()}
        >
          <Trash2 aria-hidden className="size-4" />
        </IconButton>
      </td>
    </tr>
  );
}

function Used({ row, isAdmin }: { row: LimitRow; isAdmin: boolean }) {
  if (row.used === null) {
    const isHidden = row.scope === "everybody" && !isAdmin;
    return <span className="text-ink-2">{isHidden ? "for admins" : "not known: nothing enters"}</span>;
  }
  return (
    <span className={row.spent ? "font-semibold text-loss" : undefined}>
      <Amount row={row} value={row.used} />
      {row.spent && ", reached: nothing enters"}
    </span>
  );
}

/** An amount in the limit's own unit; money is hidden where amounts are. */
function Amount({ row, value }: { row: LimitRow; value: string | null }) {
  const style = useNumberStyle();
  const { unit } = LIMIT_WORDS[row.kind];
  if (unit === "R") return <Money value={value} />;
  if (value === null) return null;
  const places = unit === "%" ? 2 : 0;
  return (
    <>
      {formatNumber(value, { minPlaces: 0, maxPlaces: places, style })}
      {unit === "%" && "\u00a0%"}
    </>
  );
}
