/**
 * Checks the built dashboard against its size limits, in gzipped bytes, and exits 1 when one is broken.
 *
 * `node scripts/budget.ts [folder]`: the folder that Vite wrote, with its manifest in `.vite/`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
  assets?: string[];
  isEntry?: boolean;
}

const KIB = 1024;
const LIMITS = { first: 130 * KIB, withCharts: 190 * KIB, route: 40 * KIB, css: 12 * KIB };

const folder = process.argv[2] ?? "dist";
const manifest = JSON.parse(readFileSync(join(folder, ".vite", "manifest.json"), "utf-8")) as Record<
  string,
  Chunk
>;

const sizes = new Map<string, number>();
function gzipped(file: string): number {
  const known = sizes.get(file);
  if (known !== undefined) return known;
  const size = gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;
  sizes.set(file, size);
  return size;
}

/** A chunk and everything it imports at once, by manifest key. */
function closure(key: string, found = new Set<string>()): Set<string> {
  if (found.has(key)) return found;
  found.add(key);
  for (const next of manifest[key]?.imports ?? []) closure(next, found);
  return found;
}

function chunkOf(part: string): string {
  const key = Object.keys(manifest).find((name) => name.includes(part));
  if (!key) throw new Error(`The build has no chunk for ${part}.`);
  return key;
}

const sum = (keys: Iterable<string>) =>
  [...keys].reduce((total, key) => total + gzipped(manifest[key]?.file ?? ""), 0);

const entry = chunkOf("index.html");
const first = new Set<string>();
for (const key of [entry, chunkOf("routes/_app.tsx"), chunkOf("routes/_app.index.tsx")]) closure(key, first);
const withCharts = new Set(first);
for (const part of ["overview/equity-panel", "charts/chart-canvas"]) closure(chunkOf(part), withCharts);

if (process.argv.includes("--list")) {
  for (const key of first) console.log(`${String(gzipped(manifest[key]?.file ?? "")).padStart(7)} ${key}`);
}

const checks: { name: string; size: number; limit: number }[] = [
  { name: "script before the overview is usable", size: sum(first), limit: LIMITS.first },
  { name: "the same with charts", size: sum(withCharts), limit: LIMITS.withCharts },
];
const styles = new Set(Object.values(manifest).flatMap((chunk) => chunk.css ?? []));
checks.push({
  name: "styles",
  size: [...styles].reduce((all, file) => all + gzipped(file), 0),
  limit: LIMITS.css,
});
for (const [key, { file }] of Object.entries(manifest)) {
  if (!file.endsWith(".js") || first.has(key) || key.includes("charts/chart-canvas")) continue;
  checks.push({ name: file, size: gzipped(file), limit: LIMITS.route });
}

let broken = 0;
for (const { name, size, limit } of checks) {
  const over = size > limit;
  if (over) broken += 1;
  if (over || limit !== LIMITS.route) {
    console.log(`${over ? "OVER" : "ok  "} ${(size / KIB).toFixed(1)} of ${limit / KIB} KiB  ${name}`);
  }
}
process.exitCode = broken > 0 ? 1 : 0;
