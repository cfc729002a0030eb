import { TriangleAlert } from "lucide-react";
import type { KeyboardEvent } from "react";
import type { ApiKey, Provider } from "@/api/models";
import { isPlainKey } from "@/features/frame/shortcuts";
import { Ago } from "@/ui/age";
import { Button } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { useTestKey } from "./actions";
import { KeyStatus } from "./key-status";
import { StandIn } from "./stand-in";

interface KeyListProps {
  title: string;
  note: string;
  rows: { provider: Provider; row: ApiKey }[];
  mayWrite: boolean;
  onOpen: (provider: string) => void;
}

/** Providers of one kind, each with its status at a glance. */
export function KeyList({ title, note, rows, mayWrite, onOpen }: KeyListProps) {
  return (
    <Panel title={title} note={note}>
      <ul>
        {rows.map((each) => (
          <KeyRow key={each.provider.id} {...each} mayWrite={mayWrite} onOpen={onOpen} />
        ))}
      </ul>
    </Panel>
  );
}

interface KeyRowProps {
  provider: Provider;
  row: ApiKey;
  mayWrite: boolean;
  onOpen: (provider: string) => void;
}

function KeyRow({ provider, row, mayWrite, onOpen }: KeyRowProps) {
  const test = useTestKey(provider);
  const saved = row.status !== "not_configured";
  const press = (event: KeyboardEvent) => {
    if (event.key === "t" && saved && mayWrite && isPlainKey(event.nativeEvent)) test.mutate();
  };
  return (
    <li
      className="relative flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2.5 hover:bg-s2"
      onKeyDown={press}
    >
      <img src={`/icons/${provider.icon}`} alt="" className="size-8 shrink-0" />
      <div className="min-w-40 grow basis-40">
        <p>
          <button
            type="button"
            className="font-medium after:absolute after:inset-0"
            aria-haspopup="dialog"
            onClick={() => onOpen(provider.id)}
          >
            {provider.display_name}
          </button>
        </p>
        <p className="text-sm text-ink-2">{provider.description}</p>
        <StandIn provider={provider} />
      </div>
      <div className="min-w-44 basis-56">
        <KeyStatus row={row} />
        <p className="text-sm text-ink-2">
          <Detail row={row} />
        </p>
      </div>
      <div className="relative ml-auto flex gap-2">
        {saved && mayWrite && (
          <Button
            aria-label={`Test the key of ${provider.display_name}`}
            pending={test.isPending && "Testing…"}
            onClick={() => test.mutate()}
          >
            Test
          </Button>
        )}
        {!saved && mayWrite && (
          <Button aria-label={`Add a key of ${provider.display_name}`} onClick={() => onOpen(provider.id)}>
            Add
          </Button>
        )}
      </div>
    </li>
  );
}

function Warned({ count }: { count: number }) {
  return (
    <span className="ml-2 inline-flex items-center gap-1 align-bottom font-medium text-ink">
      <TriangleAlert aria-hidden className="size-3.5" />
      {count === 1 ? "1 warning" : `${count} warnings`}
    </span>
  );
}

function Detail({ row }: { row: ApiKey }) {
  if (row.account_state === "halted") return "Halted: the key may move money.";
  if (row.last_tested_at) {
    return (
      <>
        tested <Ago at={row.last_tested_at} />
        {row.status === "test_ok" && row.latency_ms !== null && `, ${row.latency_ms} ms`}
        {row.warnings.length > 0 && <Warned count={row.warnings.length} />}
      </>
    );
  }
  return row.hint ? `••••${row.hint}` : null;
}
