import { LinkTabs } from "@/ui/link-tabs";

const TABS = [
  { to: "/trades", name: "Round trips" },
  { to: "/ledger", name: "Ledger" },
] as const;

/** The two ways to read the book: round trips, and the double entry beneath them. */
export function BookTabs() {
  return <LinkTabs label="Book" tabs={TABS} />;
}
