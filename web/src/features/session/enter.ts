import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { User } from "@/api/models";
import { adoptUser } from "@/fmt/prefs";

/** Posts a form that ends in a session, forgets what another user saw, and opens `next`. */
export function useEnter<Form>(path: string, next: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (form: Form) => (await api.post<{ user: User }>(path, form)).user,
    onSuccess: async (user) => {
      client.clear();
      client.setQueryData(keys.me, user);
      adoptUser(user);
      await navigate({ href: next, replace: true });
    },
  });
}

/** Only addresses of this dashboard: a link must not lead a fresh session elsewhere. */
export function safeNext(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}
