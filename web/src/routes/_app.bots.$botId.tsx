import { createFileRoute } from "@tanstack/react-router";
import { botQuery } from "@/api/queries";
import { BotScreen } from "@/features/bot/bot-screen";
import { maybeOneOf, RANGES } from "@/ui/search-params";

export const TABS = ["decisions", "trades", "orders", "parameters", "history"] as const;

export interface BotSearch {
  tab?: (typeof TABS)[number];
  range?: (typeof RANGES)[number];
}

export const Route = createFileRoute("/_app/bots/$botId")({
  validateSearch: (search): BotSearch => {
    const tab = maybeOneOf(search.tab, TABS);
    const range = maybeOneOf(search.range, RANGES);
    return { ...(tab && { tab }), ...(range && { range }) };
  },
  loader: ({ context: { client }, params }) => {
    void client.prefetchQuery(botQuery(params.botId));
  },
  component: BotPage,
});

function BotPage() {
  const { botId } = Route.useParams();
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <BotScreen
      key={botId}
      botId={botId}
      search={search}
      onSearch={(next) => void navigate({ search: next, replace: true })}
    />
  );
}
