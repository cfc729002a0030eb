import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { announce } from "@/ui/notices";

/** Deletes one row by its address and reads its list again. */
export function useRemove(list: QueryKey, done: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (path: string) => api.delete(path),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: list });
      announce(done);
    },
    onError: (error) => announce(`Not done: ${error.message}`, "warning"),
  });
}
