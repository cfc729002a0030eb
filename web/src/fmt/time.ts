/** Times are ISO-8601 UTC from the server and shown in the user's zone, 24 hours, never by guess. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string, shape: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}|${JSON.stringify(shape)}`;
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...shape });
    formatters.set(key, found);
  }
  return found;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

export function formatClock(at: string | number, zone: string): string {
  return formatter(zone, CLOCK).format(new Date(at));
}

export function formatDate(at: string | number, zone: string): string {
  return formatter(zone, DAY).format(new Date(at));
}

/** "22 Nov 2026, 14:02:11": seconds always, because money moved then. */
export function formatMoment(at: string | number, zone: string): string {
  return `${formatDate(at, zone)}, ${formatClock(at, zone)}`;
}

/** A calendar date ("2026-11-22") that is already in the user's zone. */
export function formatCalendarDate(date: string): string {
  return formatter("UTC", { day: "numeric", month: "short" }).format(new Date(`${date}T00:00:00Z`));
}

/** "400 ms", "12 s", "3 min", "2 h", "5 d". Negative ages (clock skew) count as zero. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.floor(seconds * 1000)} ms`;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 3600 * 2) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400 * 2) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function timeZones(): string[] {
  const zones = Intl.supportedValuesOf("timeZone");
  return zones.includes("UTC") ? zones : ["UTC", ...zones];
}

/** The moment a day began in a zone, as ISO-8601 UTC: "today" of the user and not of the browser. */
export function startOfDay(now: number, zone: string): string {
  const parts = formatter(zone, {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    ...CLOCK,
  }).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((each) => each.type === type)?.value);
  const wall = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  const offset = wall - Math.floor(now / 1000) * 1000;
  const midnight = Date.UTC(part("year"), part("month") - 1, part("day"));
  return new Date(midnight - offset).toISOString();
}

/** The moment a calendar date ("2026-11-22") begins in a zone, as ISO-8601 UTC. */
export function startOfCalendarDay(date: string, zone: string): string {
  // Noon in UTC is still the same date at most offsets; the day before and after cover the rest.
  const noon = Date.parse(`${date}T12:00:00Z`);
  const shape = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const named = (at: number) => {
    const parts = formatter(zone, shape).formatToParts(at);
    const part = (type: string) => parts.find((each) => each.type === type)?.value;
    return `${part("year")}-${part("month")}-${part("day")}`;
  };
  const day = 86_400_000;
  const within = [noon, noon - day, noon + day].find((at) => named(at) === date) ?? noon;
  return startOfDay(within, zone);
}
