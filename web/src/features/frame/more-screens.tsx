import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { Dialog } from "@/ui/dialog";
import { MORE_SCREENS, NAV_ITEM } from "./nav";

interface MoreScreensProps {
  onClose: () => void;
  onPalette: () => void;
}

/** On a phone: the screens that the tab bar has no room for. */
export default function MoreScreens({ onClose, onPalette }: MoreScreensProps) {
  return (
    <Dialog title="More" open onClose={onClose}>
      <ul className="flex flex-col">
        {MORE_SCREENS.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link to={to} onClick={onClose} className={`${NAV_ITEM} min-h-11 text-lg`}>
              <Icon aria-hidden className="size-5" strokeWidth={1.75} />
              {label}
            </Link>
          </li>
        ))}
        <li>
          <button
            type="button"
            className={`${NAV_ITEM} min-h-11 w-full text-lg`}
            onClick={() => {
              onClose();
              onPalette();
            }}
          >
            <Search aria-hidden className="size-5" strokeWidth={1.75} />
            Find
          </button>
        </li>
      </ul>
    </Dialog>
  );
}
