import { createFileRoute } from "@tanstack/react-router";
import { ActivityScreen } from "@/features/activity/activity-screen";
import { text } from "@/ui/search-params";

export const Route = createFileRoute("/_app/activity")({
  validateSearch: (search): { type?: string } => {
    const type = text(search.type);
    return type ? { type } : {};
  },
  component: ActivityPage,
});

function ActivityPage() {
  const { type } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <ActivityScreen
      type={type}
      onType={(next) => void navigate({ search: next ? { type: next } : {}, replace: true })}
    />
  );
}
