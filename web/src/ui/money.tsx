import { clsx } from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useRef } from "react";
import { compareDecimals } from "@/fmt/decimal";
import { moneyText } from "@/fmt/money";
import { type NumberText, numberText } from "@/fmt/number";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { Unknown } from "./unknown";

const TONE = { "-1": "text-loss", "0": "text-ink", "1": "text-gain" } as const;

function toneOf(direction: NumberText["direction"]): string {
  return TONE[`${direction}`];
}

interface MoneyProps {
  value: string | null | undefined;
  currency?: string;
  /** A result (gain or loss): signed, coloured, with an arrow. Otherwise an amount, in ink. */
  result?: boolean;
  arrow?: boolean;
  reason?: string | null | undefined;
  className?: string;
}

/** Money from a decimal string, exactly as the server said it. */
export function Money({
  value,
  currency = "ZAR",
  result = false,
  arrow = result,
  reason,
  className,
}: MoneyProps) {
  const style = useNumberStyle();
  const hidden = useHidden();
  const tint = useChangeTint(value);
  if (value === null || value === undefined) return <Unknown reason={reason} />;
  if (hidden) {
    return (
      <span className={className}>
        <span aria-hidden>R{"\u00a0"}•••••</span>
        <span className="sr-only">Amount hidden</span>
      </span>
    );
  }
  const { text, direction } = moneyText(value, { currency, style, sign: result ? "always" : "negative" });
  const Arrow = direction < 0 ? ArrowDown : ArrowUp;
  return (
    <span
      key={tint.key}
      className={clsx("whitespace-nowrap", result && toneOf(direction), tint.className, className)}
    >
      {arrow && direction !== 0 && (
        <Arrow aria-hidden strokeWidth={2.25} className="mr-1 inline size-[0.8em] align-[-0.05em]" />
      )}
      {text}
    </span>
  );
}

/** A short tint when a figure on screen changes; none on the first paint, and none for the same value. */
function useChangeTint(value: string | null | undefined): { key: number; className: string | undefined } {
  const state = useRef({ value, key: 0, className: undefined as string | undefined });
  const { current } = state;
  if (value !== current.value) {
    const known = value != null && current.value != null;
    const rose = known && compareDecimals(value, current.value ?? value) > 0;
    state.current = {
      value,
      key: current.key + 1,
      className: known ? (rose ? "changed-up" : "changed-down") : undefined,
    };
  }
  return state.current;
}

interface PercentProps {
  value: number | null | undefined;
  result?: boolean;
  places?: number;
  reason?: string | null | undefined;
}

/** A percentage (0 to 100) as the API gives it. */
export function Percent({ value, result = false, places = 2, reason }: PercentProps) {
  const style = useNumberStyle();
  if (value === null || value === undefined) return <Unknown reason={reason} />;
  const text = numberText(String(value), {
    minPlaces: places,
    maxPlaces: places,
    sign: result ? "always" : "negative",
    style,
  });
  return (
    <span className={clsx("whitespace-nowrap", result && toneOf(text.direction))}>
      {text.sign}
      {text.digits}
      {"\u00a0"}%
    </span>
  );
}

interface QuantityProps {
  value: string | null | undefined;
  asset?: string;
  maxPlaces?: number;
  minPlaces?: number;
  reason?: string | null | undefined;
}

/** A quantity or price: as many places as it has, at most eight, trailing zeros dropped. */
export function Quantity({ value, asset, maxPlaces = 8, minPlaces = 0, reason }: QuantityProps) {
  const style = useNumberStyle();
  if (value === null || value === undefined) return <Unknown reason={reason} />;
  const { sign, digits } = numberText(value, { minPlaces, maxPlaces, style });
  return (
    <span className="whitespace-nowrap">
      {sign}
      {digits}
      {asset && <span className="text-ink-2">{`\u00a0${asset}`}</span>}
    </span>
  );
}
