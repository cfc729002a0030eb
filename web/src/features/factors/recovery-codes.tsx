import { Copy } from "lucide-react";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

/** Ten codes for the day when the phone is gone, shown this once. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(codes.join("\n"));
      announce("Copied");
    } catch {
      announce("The browser does not allow copying. Select the codes and copy them yourself.", "warning");
    }
  };
  return (
    <div role="status" className="flex flex-col gap-2 rounded-md border border-line-2 bg-s2 p-3">
      <p className="font-semibold">
        Recovery codes. They are not shown again; each works once instead of a code.
      </p>
      <ul className="grid grid-cols-1 gap-x-6 font-mono text-sm select-all sm:grid-cols-2">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <p className="text-sm text-ink-2">Print them or keep them in a password manager, not on the phone.</p>
      <div className="flex flex-wrap gap-2">
        <Button icon={<Copy aria-hidden className="size-4" />} onClick={() => void copy()}>
          Copy
        </Button>
        <Button onClick={onDone}>I have kept them</Button>
      </div>
    </div>
  );
}
