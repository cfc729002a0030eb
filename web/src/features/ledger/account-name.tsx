import { Link } from "@tanstack/react-router";
import type { LedgerAccount } from "@/api/models";
import { PLATFORM_NAMES } from "@/features/bots/words";

const NAMES: Record<string, string> = {
  "holding:wallet": "Paper wallet, free",
  funding: "Put in from outside",
  conversion: "Currency conversions",
  unexplained: "Not explained yet",
};

/** What an account is, in words; its address in the ledger is shown beside it. */
export function accountName({ account, bot_name }: Pick<LedgerAccount, "account" | "bot_name">): string {
  if (bot_name) return bot_name;
  const known = NAMES[account];
  if (known) return known;
  const [kind, ...rest] = account.split(":");
  const name = rest.join(":");
  if (kind === "fees") return `Fees of ${PLATFORM_NAMES[name as keyof typeof PLATFORM_NAMES] ?? name}`;
  if (kind === "market") return `Trades on ${name.replace(":", " ")}`;
  return account;
}

/** An account's name; opens its statement. */
export function AccountLink({ line }: { line: LedgerAccount }) {
  return (
    <Link to="/ledger" search={{ account: line.account, asset: line.asset }} className="link">
      {accountName(line)}
    </Link>
  );
}
