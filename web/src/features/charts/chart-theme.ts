import { useEffect, useState } from "react";

/** The palette as the canvas needs it: resolved values of the style sheet's own tokens. */
export interface ChartTheme {
  ink: string;
  ink2: string;
  line: string;
  line2: string;
  s1: string;
  s3: string;
  gain: string;
  loss: string;
  font: string;
}

function read(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: token("ink"),
    ink2: token("ink-2"),
    line: token("line"),
    line2: token("line-2"),
    s1: token("s1"),
    s3: token("s3"),
    gain: token("gain"),
    loss: token("loss"),
    font: style.fontFamily,
  };
}

/** Follows the document's theme and profit colours. */
export function useChartTheme(): ChartTheme {
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(read()));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme", "data-profit"] });
    return () => observer.disconnect();
  }, []);
  return theme;
}

/** A `#rrggbb` colour at a strength in percent. */
export function fade(colour: string, percent: number): string {
  const alpha = Math.round((percent / 100) * 255);
  return `${colour}${alpha.toString(16).padStart(2, "0")}`;
}
