import { useQuery } from "@tanstack/react-query";
import { sparklinesQuery } from "@/api/book-queries";
import type { Bot } from "@/api/models";
import { formatMoney } from "@/fmt/money";
import { useHidden, useNumberStyle } from "@/fmt/prefs";
import { Sparkline } from "@/ui/sparkline";
import { Unknown } from "@/ui/unknown";

/** What the bot realised over the last thirty days, as a small line. */
export function BotSparkline({ bot }: { bot: Pick<Bot, "id" | "name" | "trading_mode"> }) {
  const { data, error } = useQuery(sparklinesQuery(bot.trading_mode));
  const style = useNumberStyle();
  const hidden = useHidden();
  if (error) return <Unknown reason={error.message} />;
  if (!data) return <span className="skeleton block h-5 w-22" />;
  const values = data.get(bot.id);
  if (!values) return <span className="text-sm whitespace-nowrap text-ink-2">none yet</span>;
  const last = values.at(-1) ?? "0";
  const amount = hidden ? "hidden" : formatMoney(last, { sign: "always", style });
  return <Sparkline values={values.map(Number)} label={`${bot.name}, realised in 30 days: ${amount}`} />;
}
