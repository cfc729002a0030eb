import { TriangleAlert, X } from "lucide-react";
import { useEffect } from "react";
import { dismiss, type Notice, useNotices } from "./notices";

const SHOWN_MS = 6_000;

function NoticeCard({ notice }: { notice: Notice }) {
  useEffect(() => {
    if (notice.severity === "critical") return;
    const timer = setTimeout(() => dismiss(notice.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <li className="flex items-start gap-2 rounded-md border border-line-2 bg-s3 px-3 py-2 shadow-lg">
      {notice.severity !== "info" && <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />}
      <span className={notice.severity === "info" ? "grow" : "grow font-semibold"}>{notice.message}</span>
      <button type="button" aria-label="Dismiss" onClick={() => dismiss(notice.id)} className="p-0.5">
        <X aria-hidden className="size-4" />
      </button>
    </li>
  );
}

/** Results of one's own actions and alerts, read aloud politely; ticks never come here. */
export function NoticeList() {
  const notices = useNotices((state) => state.notices);
  return (
    <section
      aria-label="Messages"
      className="fixed right-4 bottom-20 left-4 z-50 md:bottom-4 md:left-auto md:w-96"
    >
      <ol aria-live="polite" className="flex flex-col gap-2">
        {notices.map((notice) => (
          <NoticeCard key={notice.id} notice={notice} />
        ))}
      </ol>
    </section>
  );
}
