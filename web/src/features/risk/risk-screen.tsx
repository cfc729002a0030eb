import { useQuery } from "@tanstack/react-query";
import { meQuery } from "@/api/queries";
import { ProofDialog } from "@/features/factors/proof-dialog";
import { PageHead } from "@/ui/panel";
import { BreakersPanel } from "./breakers-panel";
import { LimitsPanel } from "./limits-panel";
import { ModePanel } from "./mode-panel";
import { ReadinessPanel } from "./readiness-panel";

/** What may be lost, what stands between the bots and real money, and the switch. */
export function RiskScreen() {
  const { data: me } = useQuery(meQuery);
  return (
    <>
      <PageHead title="Risk" note="what can be lost, and what stands before real money" />
      <ModePanel isAdmin={me?.role === "admin"} />
      <BreakersPanel />
      <LimitsPanel isAdmin={me?.role === "admin"} />
      {me?.role === "admin" && <ReadinessPanel />}
      <ProofDialog />
    </>
  );
}
