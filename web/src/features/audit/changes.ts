import type { AuditFact } from "@/api/models";

export interface Change {
  name: string;
  /** Null where there was or is no such value. */
  before: string | null;
  after: string | null;
}

type Values = Record<string, unknown>;

/** Values by name; those within a value get its name in front. */
function flat(values: Values, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    const path = prefix ? `${prefix} ${name}` : name;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [inner, text] of flat(value as Values, path)) found.set(inner, text);
    } else if (value !== null && value !== undefined) {
      found.set(path, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  return found;
}

/** What differs between before and after, by name; all of what was set where nothing was before. */
export function changesOf({ before, after }: Pick<AuditFact, "before" | "after">): Change[] {
  const old = flat(before ?? {});
  const now = flat(after ?? {});
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => ({ name, before: old.get(name) ?? null, after: now.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}
