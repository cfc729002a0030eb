import { clsx } from "clsx";
import type { ReactNode, Ref } from "react";

interface ScrollRegionProps {
  label: string;
  className?: string;
  ref?: Ref<HTMLDivElement>;
  /** Pixels; the rows scroll inside it. */
  height?: number;
  /** Pixels; fewer rows take less. */
  maxHeight?: number;
  children: ReactNode;
}

/** A wide table scrolls sideways inside its panel, never the page; the arrow keys reach it. */
export function ScrollRegion({ label, className, ref, height, maxHeight, children }: ScrollRegionProps) {
  return (
    // biome-ignore-start lint/a11y: it must be reachable by keyboard and is no landmark; no element says that.
    <div
      ref={ref}
      role="group"
      aria-label={label}
      tabIndex={0}
      // Positioned, so that visually hidden words inside it are cut off with it.
      className={clsx("relative overflow-x-auto rounded-b-md -outline-offset-2!", className)}
      style={{ height, maxHeight }}
    >
      {children}
    </div>
    // biome-ignore-end lint/a11y: it must be reachable by keyboard and is no landmark; no element says that.
  );
}
