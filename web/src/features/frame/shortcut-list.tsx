import { Link } from "@tanstack/react-router";
import { Dialog } from "@/ui/dialog";
import { SHORTCUTS } from "./shortcuts";

export default function ShortcutList({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" open onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="rounded-sm border border-line-2 px-1.5 font-sans">{keys}</kbd>
            </dt>
            <dd className="text-ink-2">{does}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-sm text-ink-2">
        None of them risks money. Single letters can be switched off in the{" "}
        <Link to="/settings" className="link" onClick={onClose}>
          settings
        </Link>
        .
      </p>
    </Dialog>
  );
}
