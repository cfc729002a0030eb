import type { ReactNode } from "react";
import type { UserSettings } from "@/api/models";
import { usePrefs } from "@/fmt/prefs";
import { Panel } from "@/ui/panel";
import { Segmented } from "@/ui/segmented";
import { useSaveProfile } from "./save";
import { Switch } from "./switch";

const THEMES = [
  { value: "system", label: "System" },
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
] as const;
const COLOURS = [
  { value: "default", label: "Cyan, orange" },
  { value: "blue-orange", label: "Blue, orange" },
  { value: "green-red", label: "Green, red" },
] as const;
const DENSITIES = [
  { value: "comfortable", label: "Comfortable" },
  { value: "compact", label: "Compact" },
] as const;
const STYLES = [
  { value: "comma", label: "1 234,56" },
  { value: "point", label: "1 234.56" },
] as const;

function Setting({ name, hint, children }: { name: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-line px-4 py-2.5">
      <div>
        <p className="font-medium">{name}</p>
        {hint && <p className="text-sm text-ink-2">{hint}</p>}
      </div>
      {children}
    </div>
  );
}

/** How figures and pages look. Kept per user on the server, so every machine agrees. */
export function Appearance() {
  const prefs = usePrefs();
  const save = useSaveProfile();
  const set = (settings: UserSettings) => save.mutate({ settings });
  return (
    <Panel title="Look">
      <Setting name="Theme">
        <Segmented label="Theme" value={prefs.theme} options={THEMES} onChange={(theme) => set({ theme })} />
      </Setting>
      <Setting
        name="Gain and loss"
        hint={
          prefs.profit_colours === "green-red" && "Not safe for colour-blind readers; sign and arrow stay."
        }
      >
        <Segmented
          label="Gain and loss"
          value={prefs.profit_colours}
          options={COLOURS}
          onChange={(profit_colours) => set({ profit_colours })}
        />
      </Setting>
      <Setting name="Rows">
        <Segmented
          label="Rows"
          value={prefs.density}
          options={DENSITIES}
          onChange={(density) => set({ density })}
        />
      </Setting>
      <Setting name="Numbers">
        <Segmented
          label="Numbers"
          value={prefs.number_style}
          options={STYLES}
          onChange={(number_style) => set({ number_style })}
        />
      </Setting>
      <Setting name="Less motion" hint="Changed figures are not tinted.">
        <Switch
          label="Less motion"
          on={prefs.reduce_motion}
          onChange={(reduce_motion) => set({ reduce_motion })}
        />
      </Setting>
      <Setting name="Single-letter shortcuts" hint="Press ? for the list.">
        <Switch
          label="Single-letter shortcuts"
          on={prefs.shortcuts}
          onChange={(shortcuts) => set({ shortcuts })}
        />
      </Setting>
    </Panel>
  );
}
