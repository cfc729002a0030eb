/** What the API keys screen, the second factor and the dialog of fresh proof read. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { keys } from "./keys";
import type * as m from "./models";

export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: async ({ signal }) =>
    (await api.get<{ providers: m.Provider[] }>("/api/keys/providers", {}, signal)).providers,
  staleTime: Number.POSITIVE_INFINITY,
});

export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: ({ signal }) => api.get<m.ApiKeyList>("/api/keys/list", {}, signal),
});

export const factorsQuery = queryOptions({
  queryKey: keys.factors,
  queryFn: ({ signal }) => api.get<m.Factors>("/api/auth/factors", {}, signal),
});
