import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { meQuery } from "@/api/queries";
import { ProofDialog } from "@/features/factors/proof-dialog";
import { SecondFactor } from "@/features/factors/second-factor";
import { Appearance } from "@/features/settings/appearance";
import { MarketSettings } from "@/features/settings/market";
import { People } from "@/features/settings/people";
import { Profile } from "@/features/settings/profile";
import { Sessions } from "@/features/settings/sessions";
import { Tokens } from "@/features/settings/tokens";
import { PageHead } from "@/ui/panel";

export const Route = createFileRoute("/_app/settings")({ component: Settings });

function Settings() {
  const { data: user } = useQuery(meQuery);
  if (!user) return null;
  return (
    <>
      <PageHead title="Settings" note="Each change is saved at once." />
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <Appearance />
        <Profile user={user} />
        <SecondFactor />
        <Sessions />
        <Tokens />
        <MarketSettings />
        {user.role === "admin" && <People me={user} />}
      </div>
      <ProofDialog />
    </>
  );
}
