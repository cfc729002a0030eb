import { createFileRoute } from "@tanstack/react-router";
import { KeysScreen } from "@/features/keys/keys-screen";
import { text } from "@/ui/search-params";

export const Route = createFileRoute("/_app/keys")({
  validateSearch: (search): { provider?: string } => {
    const provider = text(search.provider);
    return provider ? { provider } : {};
  },
  component: KeysPage,
});

function KeysPage() {
  const { provider } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <KeysScreen
      open={provider}
      onOpen={(next) => void navigate({ search: next ? { provider: next } : {}, replace: true })}
    />
  );
}
