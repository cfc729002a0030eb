import { type NumberStyle, type NumberText, numberText, type Sign } from "./number";

const FIAT = new Set(["ZAR", "USD", "EUR", "GBP", "USDT", "USDC"]);
const SYMBOL: Record<string, string> = { ZAR: "R" };
const NO_BREAK_SPACE = "\u00a0";

export interface MoneyOptions {
  currency?: string;
  sign?: Sign;
  style: NumberStyle;
}

export interface MoneyText extends NumberText {
  text: string;
}

/** "+R 1 874,11" for rand, "0,01472700 BTC" for an asset: two places for fiat, eight for crypto. */
export function moneyText(
  value: string,
  { currency = "ZAR", sign = "negative", style }: MoneyOptions,
): MoneyText {
  const places = FIAT.has(currency) ? 2 : 8;
  const parts = numberText(value, { minPlaces: places, maxPlaces: places, sign, style });
  const symbol = SYMBOL[currency];
  const text = symbol
    ? `${parts.sign}${symbol}${NO_BREAK_SPACE}${parts.digits}`
    : `${parts.sign}${parts.digits}${NO_BREAK_SPACE}${currency}`;
  return { ...parts, text };
}

export function formatMoney(value: string, options: MoneyOptions): string {
  return moneyText(value, options).text;
}

/** Short rand for chart axes only ("R 1,2 m"); charts are the one place where floats are allowed. */
export function compactRand(value: number, style: NumberStyle): string {
  const size = Math.abs(value);
  const [scale, suffix] = size >= 1e6 ? [1e6, " m"] : size >= 1e4 ? [1e3, " k"] : [1, ""];
  const places = suffix ? 1 : size >= 100 ? 0 : 2;
  const text = numberText((value / scale).toFixed(places), { minPlaces: 0, maxPlaces: places, style });
  return `${text.sign}R${NO_BREAK_SPACE}${text.digits}${suffix.replace(" ", NO_BREAK_SPACE)}`;
}

/** Places that a price needs: those of the tick ("0.01" has two), trailing zeros ignored. */
export function placesOf(step: string): number {
  const fraction = step.split(".")[1] ?? "";
  return fraction.replace(/0+$/, "").length;
}
