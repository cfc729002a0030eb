/**
 * Decimal strings to text, exactly. `Intl.NumberFormat` takes the string itself, so a figure with
 * thirty digits keeps all of them; no value here ever passes through a float.
 */
export type NumberStyle = "comma" | "point";
export type Sign = "always" | "negative";

const NO_BREAK_SPACE = "\u00a0";
const MINUS = "\u2212";
const DECIMAL = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

export interface NumberOptions {
  minPlaces: number;
  maxPlaces: number;
  sign?: Sign;
  style: NumberStyle;
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatterFor({ minPlaces, maxPlaces, sign }: NumberOptions): Intl.NumberFormat {
  const key = `${minPlaces}/${maxPlaces}/${sign}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    // The parts are given our own separators below, because ICU versions disagree about en-ZA.
    formatter = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: minPlaces,
      maximumFractionDigits: maxPlaces,
      signDisplay: sign === "always" ? "exceptZero" : "negative",
    });
    formatters.set(key, formatter);
  }
  return formatter;
}

/** Whether a value is a decimal number in text. */
export function isDecimal(value: unknown): value is string {
  return typeof value === "string" && DECIMAL.test(value);
}

export interface NumberText {
  /** "+", "−" or "": already rounded, so a loss that shows as zero has no sign. */
  sign: string;
  /** Digits with separators, without the sign. */
  digits: string;
  direction: -1 | 0 | 1;
}

/** Splits a decimal string into sign and digits. Throws on text that is no number: that is our bug. */
export function numberText(value: string, options: NumberOptions): NumberText {
  if (!DECIMAL.test(value)) throw new RangeError(`${JSON.stringify(value)} is not a decimal number`);
  let sign = "";
  let digits = "";
  for (const part of formatterFor(options).formatToParts(value as Intl.StringNumericLiteral)) {
    if (part.type === "minusSign") sign = MINUS;
    else if (part.type === "plusSign") sign = "+";
    else if (part.type === "group") digits += NO_BREAK_SPACE;
    else if (part.type === "decimal") digits += options.style === "comma" ? "," : ".";
    else digits += part.value;
  }
  const zero = !/[1-9]/.test(digits);
  const direction = zero ? 0 : value.startsWith("-") ? -1 : 1;
  return { sign: zero ? "" : sign, digits, direction };
}

export function formatNumber(value: string, options: NumberOptions): string {
  const { sign, digits } = numberText(value, options);
  return sign + digits;
}

/** Text as a person types it ("1 234,50" or "1,234.50") to a decimal string, or null when it is none. */
export function parseTyped(text: string): string | null {
  const compact = text.replace(/[\s\u00a0\u202f]/g, "").replace(/^R/i, "");
  const lastComma = compact.lastIndexOf(",");
  const lastPoint = compact.lastIndexOf(".");
  // The last of the two separators is the decimal one; the other groups thousands.
  const decimalAt = Math.max(lastComma, lastPoint);
  const plain =
    decimalAt < 0
      ? compact
      : `${compact.slice(0, decimalAt).replace(/[.,]/g, "")}.${compact.slice(decimalAt + 1)}`;
  return /^\d+(\.\d+)?$/.test(plain) ? plain : null;
}
