import { useQuery } from "@tanstack/react-query";
import { liveReadinessQuery } from "@/api/queries";
import { Moment } from "@/ui/age";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { CheckList, gateWords } from "./check-list";

/** The live gate, checked anew while the screen is open. */
export function ReadinessPanel() {
  const query = useQuery(liveReadinessQuery);
  return (
    <Panel title="Live gate">
      <Loaded query={query} what="the live gate" rows={8}>
        {(report) => (
          <>
            <p className="px-4 pb-2 text-ink-2">
              {gateWords(report)} Build {report.build}, checked <Moment at={report.checked_at} />.
            </p>
            <CheckList report={report} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}
