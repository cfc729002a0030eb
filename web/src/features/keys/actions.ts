import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { KeyTest, Provider } from "@/api/models";
import { withProof } from "@/features/factors/proof";
import { announce } from "@/ui/notices";

export type KeyParts = Record<string, string>;

function useReload() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: keys.apiKeys });
}

/** Tests the saved key; what comes of it is a result, said aloud, not an error. */
export function useTestKey({ id, display_name }: Provider) {
  const reload = useReload();
  return useMutation({
    mutationFn: () => api.post<KeyTest>("/api/keys/test", { provider: id }),
    onSuccess: async (result) => {
      await reload();
      announce(result.message, result.success ? "info" : "warning");
    },
    onError: (error) => announce(`${display_name}: not tested. ${error.message}`, "warning"),
  });
}

/** Saves a key, then tests it at once, so that nobody leaves with a key that does not work. */
export function useSaveKey({ id, display_name }: Provider) {
  const reload = useReload();
  return useMutation({
    mutationFn: async (parts: KeyParts) => {
      await withProof(() => api.post("/api/keys/save", { provider: id, ...parts }));
      await reload();
      return api.post<KeyTest>("/api/keys/test", { provider: id });
    },
    onSuccess: (result) =>
      announce(`${display_name}: saved. ${result.message}`, result.success ? "info" : "warning"),
    onSettled: reload,
  });
}

/** Tests what is typed, without keeping it. */
export function useTryKey({ id }: Provider) {
  return useMutation({
    mutationFn: (parts: KeyParts) => api.post<KeyTest>("/api/keys/test", { provider: id, ...parts }),
  });
}

export function useDeleteKey({ id, display_name }: Provider) {
  const reload = useReload();
  return useMutation({
    mutationFn: () => withProof(() => api.delete(`/api/keys/${id}`)),
    onSuccess: async () => {
      await reload();
      announce(`${display_name}: key deleted`);
    },
  });
}
