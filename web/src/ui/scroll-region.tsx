import { clsx } from "clsx";
import type { ReactNode, Ref } from "react";

interface ScrollRegionProps {
  label: string;
  className?: string;
  ref?: Ref<HTMLElement>;
  /** Pixels; the rows scroll inside it. */
  height?: number;
  children: ReactNode;
}

/** A wide table scrolls sideways inside its panel, never the page; the arrow keys reach it. */
export function ScrollRegion({ label, className, ref, height, children }: ScrollRegionProps) {
  return (
    // biome-ignore-start lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section
      ref={ref}
      aria-label={label}
      tabIndex={0}
      className={clsx("overflow-x-auto", className)}
      style={height === undefined ? undefined : { height }}
    >
      {children}
    </section>
    // biome-ignore-end lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
  );
}
