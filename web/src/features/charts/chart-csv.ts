import type { Row } from "./series";

const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+([.,]\d+)?$/;

/** A cell that no spreadsheet runs: text that looks like a formula gets an apostrophe, numbers stay numbers. */
function cell(text: string): string {
  // Figures are written for people: a true minus and no-break spaces are not read as a number.
  const plain = text.replaceAll("\u2212", "-").replaceAll("\u00a0", " ");
  const safe = FORMULA.test(plain) && !NUMBER.test(plain) ? `'${plain}` : plain;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What a chart shows as CSV, oldest first, with times in UTC. */
export function chartCsv(heads: string[], rows: Row[]): string {
  const lines = rows.map(({ time, cells }) => [new Date(time * 1000).toISOString(), ...cells]);
  return [["Time (UTC)", ...heads], ...lines].map((line) => line.map(cell).join(",")).join("\r\n");
}

/** Hands text to the browser as a download. */
export function saveCsv(name: string, text: string): void {
  // The mark at the start makes spreadsheets read UTF-8.
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
