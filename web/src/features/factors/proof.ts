import { create } from "zustand";
import { ApiError } from "@/api/client";

interface Waiting {
  resolve: () => void;
  reject: (reason: Error) => void;
}

/** Who waits for a fresh proof; the dialog of the screen asks for it. */
export const useProof = create<{ waiting: Waiting | null }>()(() => ({ waiting: null }));

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    useProof.getState().waiting?.reject(new Error("Asked again."));
    useProof.setState({ waiting: { resolve, reject } });
  });
}

export function settleProof(given: boolean): void {
  const { waiting } = useProof.getState();
  useProof.setState({ waiting: null });
  if (given) waiting?.resolve();
  else waiting?.reject(new Error("Not confirmed, so nothing was changed."));
}

/** Does what needs a fresh proof; where the last one is too old, asks for it first and then does it. */
export async function withProof<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "STEP_UP_NEEDED") throw error;
  }
  await ask();
  return act();
}
