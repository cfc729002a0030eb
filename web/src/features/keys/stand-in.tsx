import type { Provider } from "@/api/models";
import { Chip } from "@/ui/chip";

/** Says that another server answers in the provider's place: what it accepts, the real one may not. */
export function StandIn({ provider }: { provider: Provider }) {
  if (!provider.stand_in) return null;
  return (
    <p className="mt-1 text-sm break-words text-ink-2">
      <Chip hatched>STAND-IN</Chip> {provider.stand_in.replace(/^https?:\/\//, "")} answers instead of{" "}
      {provider.display_name}
    </p>
  );
}
