import { useQuery } from "@tanstack/react-query";
import { Check, TriangleAlert } from "lucide-react";
import { auditCheckQuery } from "@/api/book-queries";
import { meQuery } from "@/api/queries";
import { ActivityTabs } from "@/features/activity/activity-tabs";
import { Moment } from "@/ui/age";
import { FilterSelect } from "@/ui/field";
import { PageHead } from "@/ui/panel";
import { Unknown } from "@/ui/unknown";
import { FactList } from "./fact-list";

interface AuditScreenProps {
  type: string | undefined;
  onType: (type: string | undefined) => void;
}

const TYPES = ["bot", "wallet", "user", "session", "token", "invite", "alert", "system"];

/** Who changed what, when and from where: an administrator sees all, others what concerns them. */
export function AuditScreen({ type, onType }: AuditScreenProps) {
  const { data: me } = useQuery(meQuery);
  const admin = me?.role === "admin";
  return (
    <>
      <PageHead title="Audit" note={admin ? <Chain /> : "what you changed, and what was changed of yours"} />
      <ActivityTabs />
      <search>
        <FilterSelect
          label="What"
          value={type ?? ""}
          onChange={(event) => onType(event.target.value || undefined)}
        >
          <option value="">Everything</option>
          {TYPES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </FilterSelect>
      </search>
      <section aria-label="Changes" className="panel min-w-0">
        <FactList filters={{ object_type: type }} links />
      </section>
    </>
  );
}

/** Whether each fact still follows from the one before it. */
function Chain() {
  const { data } = useQuery(auditCheckQuery);
  if (!data) return <Unknown reason="The check has not answered yet." />;
  const Icon = data.ok ? Check : TriangleAlert;
  return (
    <span className="inline-flex flex-wrap items-center gap-1">
      <Icon aria-hidden className="size-4" />
      {data.ok
        ? `chain of ${data.facts_checked} facts verified`
        : `chain BROKEN at fact ${data.first_break}, found`}{" "}
      at <Moment at={data.checked_at} clockOnly />
    </span>
  );
}
