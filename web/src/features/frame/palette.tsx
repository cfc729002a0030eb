import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { useState } from "react";
import { api } from "@/api/client";
import type { BulkResult } from "@/api/models";
import { botsQuery, instrumentsQuery, meQuery } from "@/api/queries";
import { bulkSentence } from "@/features/bots/words";
import { useSaveProfile } from "@/features/settings/save";
import { effectiveTheme, toggleHidden, usePrefs } from "@/fmt/prefs";
import { Dialog } from "@/ui/dialog";
import { announce } from "@/ui/notices";
import { SCREENS } from "./nav";
import { useStopAll } from "./stop-all";

const RECENT = "amarktai.recent";
const RECENT_KEPT = 5;

function recentIds(): string[] {
  return (localStorage.getItem(RECENT) ?? "").split("\n").filter(Boolean);
}

function remember(id: string): void {
  const ids = [id, ...recentIds().filter((other) => other !== id)].slice(0, RECENT_KEPT);
  localStorage.setItem(RECENT, ids.join("\n"));
}

interface Entry {
  id: string;
  group: "Screens" | "Bots" | "Markets" | "Actions";
  label: string;
  run: () => unknown;
}

function useEntries(): Entry[] {
  const navigate = useNavigate();
  const bots = useQuery(botsQuery).data ?? [];
  const instruments = useQuery(instrumentsQuery).data ?? [];
  const bulk = async (path: string, verb: string) =>
    announce(bulkSentence(verb, await api.post<BulkResult>(path)));
  const theme = effectiveTheme(usePrefs((prefs) => prefs.theme)) === "dark" ? "light" : "dark";
  const save = useSaveProfile();
  const stop = useStopAll();
  const admin = useQuery(meQuery).data?.role === "admin";
  return [
    ...SCREENS.map(({ to, label }) => ({
      id: `screen:${to}`,
      group: "Screens" as const,
      label,
      run: () => navigate({ to }),
    })),
    ...bots.map((bot) => ({
      id: `bot:${bot.id}`,
      group: "Bots" as const,
      label: `${bot.name} · ${bot.pair}`,
      run: () => navigate({ to: "/bots/$botId", params: { botId: bot.id } }),
    })),
    ...instruments.map(({ id, platform, pair }) => ({
      id: `market:${id}`,
      group: "Markets" as const,
      label: `${pair} on ${platform}`,
      run: () => navigate({ to: "/markets", search: { instrument: id } }),
    })),
    {
      id: "new",
      group: "Actions",
      label: "New bot",
      run: () => navigate({ to: "/bots", search: { new: true } }),
    },
    { id: "hide", group: "Actions", label: "Hide or show amounts", run: toggleHidden },
    {
      id: "theme",
      group: "Actions",
      label: `Use the ${theme} theme`,
      run: () => save.mutate({ settings: { theme } }),
    },
    {
      id: "start",
      group: "Actions",
      label: "Start all bots",
      run: () => bulk("/api/bots/start-all", "Started"),
    },
    {
      id: "pause",
      group: "Actions",
      label: "Pause all bots",
      run: () => bulk("/api/bots/pause-all", "Paused"),
    },
    ...(admin
      ? [
          {
            id: "stop-everybody",
            group: "Actions" as const,
            label: "Emergency stop for everybody",
            run: () => stop.mutateAsync(true),
          },
        ]
      : []),
  ];
}

const GROUPS = ["Screens", "Bots", "Markets", "Actions"] as const;

/** Anything by name: screens, bots, markets, actions; what was used last comes first. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const entries = useEntries();
  const [search, setSearch] = useState("");
  const recent = search ? [] : recentIds().flatMap((id) => entries.find((entry) => entry.id === id) ?? []);
  const choose = (entry: Entry) => {
    remember(entry.id);
    onClose();
    void Promise.resolve(entry.run()).catch((error: Error) => announce(error.message, "warning"));
  };
  const item = (entry: Entry, prefix = "") => (
    <Command.Item
      key={prefix + entry.id}
      value={prefix + entry.id}
      keywords={[entry.label]}
      onSelect={() => choose(entry)}
      className="flex min-h-9 items-center rounded-md px-3 data-[selected=true]:bg-s3 max-md:min-h-11"
    >
      {entry.label}
    </Command.Item>
  );
  const heading =
    "**:[[cmdk-group-heading]]:px-3 **:[[cmdk-group-heading]]:py-1.5 **:[[cmdk-group-heading]]:text-sm **:[[cmdk-group-heading]]:text-ink-2";
  return (
    <Dialog title="Find" open onClose={onClose}>
      <Command label="Find a screen, a bot, a market or an action" className={heading}>
        <Command.Input
          autoFocus
          value={search}
          onValueChange={setSearch}
          placeholder="Screen, bot, market or action"
          className="control w-full"
        />
        <Command.List className="mt-2 h-80 overflow-y-auto">
          <Command.Empty className="p-3 text-ink-2">Nothing has that name.</Command.Empty>
          {recent.length > 0 && (
            <Command.Group heading="Recent">{recent.map((entry) => item(entry, "recent "))}</Command.Group>
          )}
          {GROUPS.map((group) => (
            <Command.Group key={group} heading={group}>
              {entries.filter((entry) => entry.group === group).map((entry) => item(entry))}
            </Command.Group>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  );
}
