import { useQuery } from "@tanstack/react-query";
import { apiKeysQuery, providersQuery } from "@/api/key-queries";
import type { ApiKeyList, Provider } from "@/api/models";
import { meQuery } from "@/api/queries";
import { ProofDialog } from "@/features/factors/proof-dialog";
import { PageHead } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { KeyDrawer } from "./key-drawer";
import { KeyList } from "./key-list";

interface KeysScreenProps {
  /** The provider whose drawer is open. */
  open: string | undefined;
  onOpen: (provider: string | undefined) => void;
}

/** Is every service connected, and is it safe? All eight, always. */
export function KeysScreen({ open, onOpen }: KeysScreenProps) {
  const providers = useQuery(providersQuery);
  const keys = useQuery(apiKeysQuery);
  return (
    <>
      <PageHead
        title="API keys"
        note="Paper bots need none. Keys are encrypted here and never shown again."
      />
      <Loaded query={providers} what="the providers" rows={8}>
        {(all) => (
          <Loaded query={keys} what="the keys" rows={8}>
            {(list) => <Keys providers={all} list={list} open={open} onOpen={onOpen} />}
          </Loaded>
        )}
      </Loaded>
      <ProofDialog />
    </>
  );
}

interface KeysProps extends KeysScreenProps {
  providers: Provider[];
  list: ApiKeyList;
}

function Keys({ providers, list, open, onOpen }: KeysProps) {
  const { data: me } = useQuery(meQuery);
  const mayWrite = me?.role !== "viewer";
  const rows = providers.flatMap((provider) => {
    const row = list.keys.find((key) => key.provider === provider.id);
    return row ? [{ provider, row }] : [];
  });
  const opened = rows.find(({ provider }) => provider.id === open);
  const shared = { mayWrite, onOpen };
  return (
    <>
      <KeyList
        title="Exchanges"
        note="for live trading"
        rows={rows.filter(({ provider }) => provider.type === "exchange")}
        {...shared}
      />
      <KeyList
        title="Assistant"
        note="for explaining and finding"
        rows={rows.filter(({ provider }) => provider.type === "ai")}
        {...shared}
      />
      {opened && (
        <KeyDrawer
          key={opened.provider.id}
          {...opened}
          address={list.address}
          mayWrite={mayWrite}
          onClose={() => onOpen(undefined)}
        />
      )}
    </>
  );
}
