import { LinkTabs } from "@/ui/link-tabs";

const TABS = [
  { to: "/activity", name: "Activity" },
  { to: "/audit", name: "Audit" },
] as const;

/** What the platform did, and what people changed. */
export function ActivityTabs() {
  return <LinkTabs label="Activity and audit" tabs={TABS} />;
}
