import type { Bot, Strategy } from "@/api/models";
import { parseTyped } from "@/fmt/number";

type Parameter = Strategy["parameters"][number];

/** What is typed, by parameter. */
export type Draft = Record<string, string>;

/** The present values as text; defaults where the bot says nothing. */
export function draftOf(strategy: Strategy, params: Bot["params"]): Draft {
  return Object.fromEntries(
    strategy.parameters.map(({ name, default: usual }) => [name, String(params[name] ?? usual)]),
  );
}

function numberOf(typed: string): number | null {
  const negative = /^\s*[-\u2212]/.test(typed);
  const plain = parseTyped(typed.replace(/^\s*[-\u2212]/, ""));
  if (plain === null) return null;
  return negative ? -Number(plain) : Number(plain);
}

/** Why a typed value will not do, in words; null when it will. The server checks again. */
export function problemOf({ type, low, high }: Parameter, typed: string): string | null {
  const value = numberOf(typed);
  if (value === null) return "Write a number.";
  if (type === "int" && !Number.isInteger(value)) return "Write a whole number.";
  if (value < low) return `At least ${low}.`;
  if (value > high) return `At most ${high}.`;
  return null;
}

/** All parameters as the API takes them, or null when none differs from what the bot has. */
export function changedParams(
  strategy: Strategy,
  draft: Draft,
  params: Bot["params"],
): Record<string, number> | null {
  const values = strategy.parameters.map(
    ({ name, default: usual }) => [name, numberOf(draft[name] ?? "") ?? usual] as const,
  );
  const same = values.every(
    ([name, value], place) => value === Number(params[name] ?? strategy.parameters[place]?.default),
  );
  return same ? null : Object.fromEntries(values);
}
