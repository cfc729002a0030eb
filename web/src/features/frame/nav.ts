import {
  Activity,
  Bot,
  CandlestickChart,
  Key,
  Landmark,
  Layers,
  LayoutDashboard,
  type LucideIcon,
  ReceiptText,
  Settings,
  ShieldCheck,
  TrendingUp,
  Wallet,
} from "lucide-react";

export const SCREENS = [
  { to: "/", label: "Overview", icon: LayoutDashboard },
  { to: "/bots", label: "Bots", icon: Bot },
  { to: "/platforms", label: "Platforms", icon: Layers },
  { to: "/profits", label: "Profits", icon: TrendingUp },
  { to: "/wallet", label: "Wallet", icon: Wallet },
  { to: "/accounts", label: "Accounts", icon: Landmark },
  { to: "/trades", label: "Trades", icon: ReceiptText },
  { to: "/markets", label: "Markets", icon: CandlestickChart },
  { to: "/activity", label: "Activity", icon: Activity },
  { to: "/keys", label: "API keys", icon: Key },
  { to: "/risk", label: "Risk", icon: ShieldCheck },
  { to: "/settings", label: "Settings", icon: Settings },
] as const satisfies readonly { to: string; label: string; icon: LucideIcon }[];

/** What fits a thumb; the rest is under "More". */
export const PHONE_SCREENS = SCREENS.slice(0, 4);
export const MORE_SCREENS = SCREENS.slice(4);

/** How a screen looks in a list of screens. */
export const NAV_ITEM =
  "flex items-center gap-3 rounded-md px-2.5 py-1.5 text-ink-2 hover:bg-s2 hover:text-ink aria-[current=page]:bg-s3 aria-[current=page]:font-semibold aria-[current=page]:text-ink";
