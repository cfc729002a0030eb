import { Link } from "@tanstack/react-router";
import {
  Activity,
  Bell,
  Bot,
  Key,
  type LucideIcon,
  Pause,
  Play,
  Radio,
  ReceiptText,
  Square,
  TrendingUp,
  Wallet,
} from "lucide-react";
import type { ActivityItem } from "@/api/models";
import { Moment } from "@/ui/age";

const ICONS: Record<string, LucideIcon> = {
  bot_created: Bot,
  bot_updated: Bot,
  bot_paused: Pause,
  bot_resumed: Play,
  bot_stopped: Square,
  bot_deleted: Bot,
  trade_executed: ReceiptText,
  order_updated: ReceiptText,
  profit_updated: TrendingUp,
  balance_updated: Wallet,
  alert: Bell,
  emergency_stop: Square,
  feed_changed: Radio,
  key_saved: Key,
  key_tested: Key,
  key_deleted: Key,
};

const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** The object that an event is about, when it has a page. */
function botIdOf({ type, payload }: ActivityItem): string | undefined {
  return type === "bot_deleted"
    ? undefined
    : (textOf(payload.bot_id) ?? textOf((payload.bot as { id?: unknown } | undefined)?.id));
}

/** One event: what happened in words, and when, to the second. */
export function ActivityRow({ item }: { item: ActivityItem }) {
  const Icon = ICONS[item.type] ?? Activity;
  const botId = botIdOf(item);
  const message = textOf(item.payload.message) ?? item.type.replaceAll("_", " ");
  return (
    <li className="flex items-baseline gap-2.5 border-b border-line px-4 py-1.5 last:border-0">
      <Icon aria-hidden className="size-3.5 shrink-0 translate-y-0.5 text-ink-2" strokeWidth={1.75} />
      <span className="min-w-0 grow break-words">
        {botId ? (
          <Link to="/bots/$botId" params={{ botId }} className="hover:underline">
            {message}
          </Link>
        ) : (
          message
        )}
      </span>
      <span className="text-sm text-ink-2">
        <Moment at={item.created_at} clockOnly />
      </span>
    </li>
  );
}
