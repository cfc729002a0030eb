import { Ban, Check, Copy, ExternalLink } from "lucide-react";
import type { ApiKeyList, Provider } from "@/api/models";
import { Button } from "@/ui/button";
import { announce } from "@/ui/notices";

/** Where a key is made, which rights to give it and which never, and the address to allow. */
export function KeyHelp({ provider, address }: { provider: Provider; address: ApiKeyList["address"] }) {
  const { help } = provider;
  return (
    <section aria-label={`How to get a key of ${provider.display_name}`} className="flex flex-col gap-3">
      <h3 className="font-semibold">How to get it</h3>
      <ol className="flex max-w-[72ch] list-decimal flex-col gap-1 pl-5">
        {help.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p>
        <a
          href={help.page}
          target="_blank"
          rel="noreferrer"
          className="link inline-flex items-center gap-1.5"
        >
          {help.page.replace("https://", "")}
          <ExternalLink aria-hidden className="size-3.5" />
          <span className="sr-only">(opens in a new tab)</span>
        </a>
      </p>
      <Rights give={help.rights} never={help.never} movesMoney={provider.type === "exchange"} />
      {provider.type === "exchange" && <Address address={address} />}
      <p className="max-w-[72ch] text-sm text-ink-2">The test: {provider.tested_by}</p>
    </section>
  );
}

function Rights({ give, never, movesMoney }: { give: string[]; never: string[]; movesMoney: boolean }) {
  return (
    <ul className="flex flex-col gap-1">
      {give.map((right) => (
        <li key={right} className="flex items-center gap-2">
          <Check aria-hidden className="size-4 shrink-0" />
          <span className="sr-only">Tick:</span>
          {right}
        </li>
      ))}
      {never.map((right) => (
        <li key={right} className="flex items-center gap-2 font-medium">
          <Ban aria-hidden className="size-4 shrink-0" />
          Never: {right}
        </li>
      ))}
      {movesMoney && (
        <li className="text-sm text-ink-2">A key that may move money out is refused where it can be seen.</li>
      )}
    </ul>
  );
}

function Address({ address }: { address: ApiKeyList["address"] }) {
  const copy = async (ip: string) => {
    try {
      await navigator.clipboard.writeText(ip);
      announce("Copied");
    } catch {
      announce("The browser does not allow copying. Select the address and copy it yourself.", "warning");
    }
  };
  return (
    <div className="flex flex-col gap-1">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-medium">Address to allow:</span>
        {address.ip ? <code className="font-mono select-all">{address.ip}</code> : "not known here"}
        {address.ip && (
          <Button icon={<Copy aria-hidden className="size-4" />} onClick={() => void copy(address.ip ?? "")}>
            Copy
          </Button>
        )}
      </p>
      <p className="max-w-[72ch] text-sm text-ink-2">{address.note}</p>
    </div>
  );
}
