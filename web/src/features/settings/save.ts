import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { User, UserSettings } from "@/api/models";
import { adoptUser, usePrefs } from "@/fmt/prefs";
import { announce } from "@/ui/notices";

interface Change {
  name?: string;
  timezone?: string;
  settings?: UserSettings;
}

/** Saves a change of one's own profile at once and says so. Settings are sent whole, as the API keeps them. */
export function useSaveProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ settings, ...rest }: Change) => {
      const { theme, profit_colours, density, number_style, reduce_motion, shortcuts } = usePrefs.getState();
      const present = { theme, profit_colours, density, number_style, reduce_motion, shortcuts };
      const body = settings ? { ...rest, settings: { ...present, ...settings } } : rest;
      return (await api.patch<{ user: User }>("/api/auth/me", body)).user;
    },
    onSuccess: (user) => {
      client.setQueryData(keys.me, user);
      adoptUser(user);
      announce("Saved");
    },
    onError: (error) => announce(`Not saved: ${error.message}`, "warning"),
  });
}
