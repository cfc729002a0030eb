import { CircleCheck, CircleDashed, type LucideIcon, TriangleAlert } from "lucide-react";
import type { LiveAccount, TieOut } from "@/api/models";
import { Ago, Moment } from "@/ui/age";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Empty } from "@/ui/state";

const LOOKS: Record<LiveAccount["condition"], { icon: LucideIcon; word: string }> = {
  active: { icon: CircleCheck, word: "Active: it takes orders" },
  reconciling: { icon: CircleDashed, word: "Being reconciled: exits only" },
  degraded: { icon: TriangleAlert, word: "Not trusted now: exits only" },
  unexplained: { icon: TriangleAlert, word: "It differs: exits only" },
  closed: { icon: CircleDashed, word: "Not open" },
};

/** One account: whether it takes orders and why not, what its key may do, and each asset's tie-out. */
export function AccountPanel({ account }: { account: LiveAccount }) {
  const { icon: Icon, word } = LOOKS[account.condition];
  return (
    <Panel
      title={account.display_name}
      note={
        <span className="inline-flex items-center gap-1.5">
          <Icon aria-hidden className="size-4" />
          {word}
        </span>
      }
    >
      <p className="max-w-[72ch] px-4 pb-2">{account.detail}</p>
      {account.halted_reason && (
        <p className="max-w-[72ch] px-4 pb-2 font-semibold">Halted: {account.halted_reason}</p>
      )}
      <Facts account={account} />
      <TieOuts rows={account.tie_outs} />
    </Panel>
  );
}

function Facts({ account }: { account: LiveAccount }) {
  const rights = account.rights?.length ? account.rights.join(", ") : "not told by the exchange";
  return (
    <dl className="grid gap-x-6 gap-y-1 px-4 pb-3 sm:grid-cols-[max-content_1fr]">
      <dt className="text-ink-2">Last complete look</dt>
      <dd>
        <Ago at={account.reconciled_at} reason="The account was not read to its end yet." />
        {account.took_ms !== null && (
          <span className="text-ink-2">
            {`, ${account.orders} orders and ${account.fills} executions in ${account.took_ms} ms`}
          </span>
        )}
      </dd>
      <dt className="text-ink-2">The key may</dt>
      <dd>{rights}</dd>
      <dt className="text-ink-2">Key tested</dt>
      <dd>
        <Ago at={account.key_tested_at} reason="The key was not tested yet." />
        {account.key_message && <span className="text-ink-2">{`: ${account.key_message}`}</span>}
      </dd>
      <dt className="text-ink-2">Stops</dt>
      <dd>
        {account.unprotected_when_down
          ? `Positions there are unprotected if we are down. ${account.stops_note}`
          : `They rest at the exchange and protect while the platform is down. ${account.stops_note}`}
      </dd>
    </dl>
  );
}

const HEADS = ["Exchange holds", "Ledger says", "Below its 8 places", "Difference"];

function TieOuts({ rows }: { rows: TieOut[] }) {
  if (rows.length === 0) return <Empty>Its assets appear here after the first complete look.</Empty>;
  return (
    <ScrollRegion label="Each asset beside the ledger">
      <table className="ledger">
        <thead>
          <tr>
            <th scope="col">Asset</th>
            {HEADS.map((head) => (
              <th key={head} scope="col" className="num">
                {head}
              </th>
            ))}
            <th scope="col">Compared</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.asset}>
              <td className="font-medium">{row.asset}</td>
              <td className="num">
                <Quantity value={row.venue_total} maxPlaces={18} />
              </td>
              <td className="num">
                <Quantity value={row.ledger_total} />
              </td>
              <td className="num">
                <Quantity value={row.rounded} maxPlaces={18} />
              </td>
              <td className="num font-semibold">
                <Quantity value={row.difference} maxPlaces={18} />
              </td>
              <td>
                <Moment at={row.checked_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
