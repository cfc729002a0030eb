/**
 * Exact comparison and addition of decimal strings. The browser computes no profit with them: they
 * sort columns, and they check that figures which the server sent side by side add up.
 */
interface Scaled {
  units: bigint;
  places: number;
}

function scaled(value: string): Scaled {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(value);
  if (!match) throw new RangeError(`${JSON.stringify(value)} is not a plain decimal number`);
  const [, sign, whole = "0", fraction = ""] = match;
  const units = BigInt(whole + fraction);
  return { units: sign === "-" ? -units : units, places: fraction.length };
}

function align(a: Scaled, b: Scaled): [a: bigint, b: bigint, places: number] {
  const places = Math.max(a.places, b.places);
  return [a.units * 10n ** BigInt(places - a.places), b.units * 10n ** BigInt(places - b.places), places];
}

/** Negative, zero or positive, as `Array.sort` wants it. */
export function compareDecimals(a: string, b: string): number {
  const [left, right] = align(scaled(a), scaled(b));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Unknown sorts below every known value. */
export function compareUnknown(a: string | null, b: string | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  return compareDecimals(a, b);
}

export function sumDecimals(values: string[]): string {
  let total: Scaled = { units: 0n, places: 0 };
  for (const value of values) {
    const [left, right, places] = align(total, scaled(value));
    total = { units: left + right, places };
  }
  const sign = total.units < 0n ? "-" : "";
  const digits = (total.units < 0n ? -total.units : total.units).toString().padStart(total.places + 1, "0");
  const cut = digits.length - total.places;
  return total.places ? `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}` : sign + digits;
}

/** A whole percentage of an amount, exactly: a limit that is shown before it is set. */
export function percentOf(value: string, percent: bigint): string {
  const { units, places } = scaled(value);
  const digits = (units * percent).toString().padStart(places + 3, "0");
  return `${digits.slice(0, -places - 2)}.${digits.slice(-places - 2)}`;
}
