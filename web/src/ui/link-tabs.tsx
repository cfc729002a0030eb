import { Link, type LinkProps } from "@tanstack/react-router";

interface LinkTabsProps {
  label: string;
  tabs: readonly { to: NonNullable<LinkProps["to"]>; name: string }[];
}

/** Screens that belong together, each with its own address. */
export function LinkTabs({ label, tabs }: LinkTabsProps) {
  return (
    <nav aria-label={label} className="flex border-b border-line">
      {tabs.map(({ to, name }) => (
        <Link
          key={name}
          to={to}
          className="flex min-h-10 items-center border-b-2 border-transparent px-3 text-ink-2 hover:text-ink aria-[current=page]:border-ink aria-[current=page]:font-semibold aria-[current=page]:text-ink"
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
