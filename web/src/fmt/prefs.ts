import { create } from "zustand";
import type { User, UserSettings } from "@/api/models";
import type { NumberStyle } from "./number";

type Chosen = { [Name in keyof UserSettings]-?: NonNullable<UserSettings[Name]> };

const DEFAULTS: Chosen = {
  theme: "system",
  profit_colours: "default",
  density: "comfortable",
  number_style: "comma",
  reduce_motion: false,
  shortcuts: true,
  bot_views: [],
};

interface Prefs extends Chosen {
  zone: string;
  /** Amounts are masked on this machine only: somebody may be looking over the shoulder. */
  hidden: boolean;
}

const HIDDEN = "amarktai.hidden";
const THEME = "amarktai.theme";

export const usePrefs = create<Prefs>()(() => ({
  ...DEFAULTS,
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  hidden: localStorage.getItem(HIDDEN) === "1",
}));

export const useNumberStyle = (): NumberStyle => usePrefs((prefs) => prefs.number_style);
export const useZone = (): string => usePrefs((prefs) => prefs.zone);
export const useHidden = (): boolean => usePrefs((prefs) => prefs.hidden);

export function toggleHidden(): void {
  const hidden = !usePrefs.getState().hidden;
  localStorage.setItem(HIDDEN, hidden ? "1" : "0");
  usePrefs.setState({ hidden });
}

/** The theme in force: the chosen one, or the system's. */
export function effectiveTheme(theme: Chosen["theme"]): "dark" | "light" {
  if (theme !== "system") return theme;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

function paint({ theme, profit_colours, density, reduce_motion }: Chosen): void {
  const { dataset } = document.documentElement;
  localStorage.setItem(THEME, theme);
  dataset.theme = effectiveTheme(theme);
  dataset.profit = profit_colours;
  dataset.density = density;
  dataset.motion = reduce_motion ? "reduced" : "full";
}

/** Takes over what the server keeps for this user, in the stores and on the document. */
export function adoptUser(user: User): void {
  const known = Object.entries(user.settings).filter(([, value]) => value !== null);
  const settings: Chosen = { ...DEFAULTS, ...Object.fromEntries(known) };
  paint(settings);
  usePrefs.setState({ ...settings, zone: user.timezone });
}

/** Repaints when the system's theme changes and the user follows it. */
export function followSystemTheme(): () => void {
  const query = matchMedia("(prefers-color-scheme: light)");
  const change = () => {
    if (usePrefs.getState().theme === "system") paint(usePrefs.getState());
  };
  query.addEventListener("change", change);
  return () => query.removeEventListener("change", change);
}
