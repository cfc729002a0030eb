/** What the settings read of people, sessions and tokens. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { keys } from "./keys";
import type * as m from "./models";

export const sessionsQuery = queryOptions({
  queryKey: keys.sessions,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.Session>>("/api/auth/sessions", {}, signal)).items,
});

export const tokensQuery = queryOptions({
  queryKey: keys.tokens,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.AccessToken>>("/api/tokens", {}, signal)).items,
});

export const usersQuery = queryOptions({
  queryKey: keys.users,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.ManagedUser>>("/api/users", {}, signal)).items,
});

export const invitesQuery = queryOptions({
  queryKey: keys.invites,
  queryFn: async ({ signal }) => (await api.get<m.Page<m.Invite>>("/api/invites", {}, signal)).items,
});
