import { Copy } from "lucide-react";
import { Button } from "./button";
import { announce } from "./notices";

/** Copies a text, and says that it did or could not. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce(`Copied ${what}`);
    } catch (error) {
      // The browser refuses without a secure origin or the person's leave.
      const reason = error instanceof Error ? error.message : String(error);
      announce(`Could not copy ${what}: ${reason}`, "warning");
    }
  };
  return (
    <Button
      className="min-h-8! text-sm"
      icon={<Copy aria-hidden className="size-3.5" />}
      onClick={() => void copy()}
    >
      Copy {what}
    </Button>
  );
}
