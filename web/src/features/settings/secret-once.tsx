import { Copy } from "lucide-react";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

/** A secret that is shown once: select it or copy it now. */
export function SecretOnce({ label, secret }: { label: string; secret: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      announce("Copied");
    } catch {
      announce("The browser does not allow copying. Select the text and copy it yourself.", "warning");
    }
  };
  return (
    <div role="status" className="flex flex-col gap-2 rounded-md border border-line-2 bg-s2 p-3">
      <p className="font-semibold">{label} It is not shown again.</p>
      <code className="font-mono text-sm break-all select-all">{secret}</code>
      <div>
        <Button icon={<Copy aria-hidden className="size-4" />} onClick={() => void copy()}>
          Copy
        </Button>
      </div>
    </div>
  );
}
