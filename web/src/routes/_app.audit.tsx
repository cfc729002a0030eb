import { createFileRoute } from "@tanstack/react-router";
import { AuditScreen } from "@/features/audit/audit-screen";
import { text } from "@/ui/search-params";

export const Route = createFileRoute("/_app/audit")({
  validateSearch: (search): { type?: string } => {
    const type = text(search.type);
    return type ? { type } : {};
  },
  component: Audit,
});

function Audit() {
  const { type } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <AuditScreen
      type={type}
      onType={(next) => void navigate({ search: next ? { type: next } : {}, replace: true })}
    />
  );
}
