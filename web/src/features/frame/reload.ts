import { create } from "zustand";
import { useConnection } from "@/live/connection";

/** True once this tab asked for a part of the dashboard that the server no longer has. */
export const useGone = create<{ gone: boolean }>()(() => ({ gone: false }));

export function offerReload(): void {
  useGone.setState({ gone: true });
}

/** Whether the server serves another dashboard than the one in this tab. */
export function useUpdateAvailable(): boolean {
  const gone = useGone((state) => state.gone);
  const served = useConnection((connection) => connection.servedSha);
  return gone || isOtherBuild(served, __BUILD_SHA__);
}

/** An unknown build on either side proves nothing, so it offers nothing. */
export function isOtherBuild(served: string | null, ours: string): boolean {
  const known = (sha: string | null) => sha !== null && sha !== "" && sha !== "unknown";
  return known(served) && known(ours) && served !== ours;
}
