import { createFileRoute } from "@tanstack/react-router";
import { LedgerScreen } from "@/features/ledger/ledger-screen";
import { text } from "@/ui/search-params";

export interface LedgerSearch {
  /** With an asset: the account whose statement is shown. */
  account?: string;
  asset?: string;
  kind?: string;
  bot_id?: string;
}

export const Route = createFileRoute("/_app/ledger")({
  validateSearch: (search): LedgerSearch => {
    const account = text(search.account);
    const asset = text(search.asset);
    const kind = text(search.kind);
    const bot = text(search.bot_id);
    return {
      ...(account && { account }),
      ...(asset && { asset }),
      ...(kind && { kind }),
      ...(bot && { bot_id: bot }),
    };
  },
  component: Ledger,
});

function Ledger() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return <LedgerScreen search={search} onSearch={(next) => void navigate({ search: next })} />;
}
