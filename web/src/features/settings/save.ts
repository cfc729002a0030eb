import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { User, UserSettings } from "@/api/models";
import { adoptUser } from "@/fmt/prefs";
import { announce } from "@/ui/notices";

interface Change {
  name?: string;
  timezone?: string;
  settings?: UserSettings;
}

/** Saves a change of one's own profile at once and says so. The server merges settings into those it has. */
export function useSaveProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ settings, ...rest }: Change) => {
      const body = settings ? { ...rest, settings } : rest;
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
