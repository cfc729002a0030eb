import { CircleAlert, CircleCheck } from "lucide-react";
import type { LiveReadiness } from "@/api/models";

/** Every check of the live gate: what it is, what it must be, and how it turns green. */
export function CheckList({ report }: { report: LiveReadiness }) {
  return (
    <ul className="divide-y divide-line">
      {report.checks.map((check) => {
        const isMet = check.status === "ok";
        const Icon = isMet ? CircleCheck : CircleAlert;
        return (
          <li key={check.name} data-check={check.name} data-met={isMet} className="flex gap-3 px-4 py-2">
            <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${isMet ? "text-gain" : "text-loss"}`} />
            <div className="min-w-0">
              <p>
                <strong className="font-medium">{check.title}</strong>
                <span className="sr-only">: {isMet ? "met" : "open"}</span>
              </p>
              <p className="text-sm text-ink-2">
                {check.value}. Needed: {check.threshold}.
              </p>
              {!isMet && <p className="text-sm">{check.remedy}</p>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** How far the gate is from open, in words. */
export function gateWords(report: LiveReadiness): string {
  const open = report.checks.filter(({ status }) => status !== "ok").length;
  return open === 0 ? "Every check is met." : `${open} of ${report.checks.length} checks are open.`;
}
