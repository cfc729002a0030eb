import { Link } from "@tanstack/react-router";
import { Dialog } from "@/ui/dialog";

/** Apart from what the keys do, because the list is only read when somebody asks for it. */
const SHORTCUTS = [
  { keys: "Ctrl K", does: "Find a screen, a bot, a market or an action" },
  { keys: "?", does: "Show this list" },
  { keys: "h", does: "Hide or show amounts" },
  { keys: "g o", does: "Go to the overview" },
  { keys: "g b", does: "Go to the bots" },
  { keys: "g p", does: "Go to the profits" },
  { keys: "g t", does: "Go to the trades" },
  { keys: "g m", does: "Go to the markets" },
  { keys: "g l", does: "Go to the ledger" },
  { keys: "g w", does: "Go to the wallet" },
  { keys: "g a", does: "Go to the accounts" },
  { keys: "g k", does: "Go to the API keys" },
  { keys: "/", does: "Filter the bots (on the bots screen)" },
  { keys: "j k", does: "Next or previous row (bots, trades)" },
  { keys: "Enter", does: "Open the row" },
  { keys: "x", does: "Choose the row (bots)" },
  { keys: "p", does: "Pause or resume the bot of the row" },
  { keys: "1 … 5", does: "Range of the equity (on the overview)" },
  { keys: "m d", does: "Paper or live; days, weeks or months (on the profits)" },
  { keys: "w t o", does: "Why, trades or orders (on a bot's page)" },
  { keys: "t", does: "Test the key of the row (on the API keys screen)" },
  { keys: "n", does: "New bot (on the bots screen)" },
  { keys: "[ ]", does: "Previous or next bot (on a bot's page)" },
  { keys: "Ctrl Shift .", does: "Emergency stop: no new risk, every bot paused" },
] as const;

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
