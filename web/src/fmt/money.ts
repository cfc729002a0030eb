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

/**
 * Rand on a chart's axis, as short as neighbouring marks stay different: `span` is the distance from
 * the lowest to the highest value shown. Charts are the one place where floats are allowed.
 */
export function axisRand(value: number, span: number, style: NumberStyle): string {
  const millions = Math.abs(value) >= 1e6 && span >= 1e5;
  const places = millions ? 2 : span < 20 ? 2 : 0;
  const shown = (millions ? value / 1e6 : value).toFixed(places);
  const text = numberText(shown, { minPlaces: millions ? 0 : places, maxPlaces: places, style });
  return `${text.sign}R${NO_BREAK_SPACE}${text.digits}${millions ? `${NO_BREAK_SPACE}m` : ""}`;
}

/** Places that a price needs: those of the tick ("0.01" has two), trailing zeros ignored. */
export function placesOf(step: string): number {
  const fraction = step.split(".")[1] ?? "";
  return fraction.replace(/0+$/, "").length;
}
