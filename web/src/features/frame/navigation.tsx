import { Link } from "@tanstack/react-router";
import { Ellipsis, Search } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { NAV_ITEM, PHONE_SCREENS, SCREENS } from "./nav";

const MoreScreens = lazy(() => import("./more-screens"));

interface NavigationProps {
  onPalette: () => void;
}

export function Sidebar({ onPalette }: NavigationProps) {
  return (
    <nav
      aria-label="Screens"
      className="sticky top-10 h-[calc(100dvh-40px)] w-48 shrink-0 border-r border-line p-2 max-md:hidden"
    >
      <ul className="flex flex-col gap-0.5">
        {SCREENS.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === "/" }} className={NAV_ITEM}>
              <Icon aria-hidden className="size-4" strokeWidth={1.75} />
              {label}
            </Link>
          </li>
        ))}
      </ul>
      <button
        type="button"
        onClick={onPalette}
        className="mt-3 flex w-full items-center gap-3 rounded-md border border-line px-2.5 py-1.5 text-ink-2 hover:bg-s2"
      >
        <Search aria-hidden className="size-4" strokeWidth={1.75} />
        Find
        <kbd className="ml-auto font-sans text-xs text-ink-3">Ctrl K</kbd>
      </button>
    </nav>
  );
}

const TAB =
  "flex min-h-14 flex-col items-center justify-center gap-0.5 text-xs text-ink-2 aria-[current=page]:font-semibold aria-[current=page]:text-ink";

export function TabBar({ onPalette }: NavigationProps) {
  const [more, setMore] = useState(false);
  return (
    <nav
      aria-label="Screens"
      className="fixed inset-x-0 bottom-0 z-40 border-t border-line bg-s1 pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      <ul className="grid grid-cols-5">
        {PHONE_SCREENS.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === "/" }} className={TAB}>
              <Icon aria-hidden className="size-5" strokeWidth={1.75} />
              {label}
            </Link>
          </li>
        ))}
        <li>
          <button
            type="button"
            className={`${TAB} w-full`}
            aria-haspopup="dialog"
            onClick={() => setMore(true)}
          >
            <Ellipsis aria-hidden className="size-5" />
            More
          </button>
        </li>
      </ul>
      <Suspense>{more && <MoreScreens onClose={() => setMore(false)} onPalette={onPalette} />}</Suspense>
    </nav>
  );
}
