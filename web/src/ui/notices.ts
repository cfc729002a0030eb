import { create } from "zustand";

export interface Notice {
  id: number;
  message: string;
  severity: "info" | "warning" | "critical";
}

const SHOWN = 3;
let lastId = 0;

/** Short messages about one's own actions and alerts; the newest few are shown and read aloud. */
export const useNotices = create<{ notices: Notice[] }>()(() => ({ notices: [] }));

export function announce(message: string, severity: string = "info"): void {
  const level = severity === "critical" || severity === "warning" ? severity : "info";
  const notice: Notice = { id: ++lastId, message, severity: level };
  useNotices.setState(({ notices }) => ({ notices: [...notices, notice].slice(-SHOWN) }));
}

export function dismiss(id: number): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
}
