import { useQuery } from "@tanstack/react-query";
import type { Bot, Provider } from "@/api/models";
import { botsQuery } from "@/api/queries";
import { FormError } from "@/features/session/form-error";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useDeleteKey } from "./actions";

/** Which bots cannot go on without the key: those that trade real money on that exchange. */
export function botsThatNeed(provider: Provider["id"], bots: Bot[]): Bot[] {
  return bots.filter((bot) => bot.platform === provider && bot.trading_mode === "live");
}

function Consequence({ provider }: { provider: Provider }) {
  const { data: bots } = useQuery(botsQuery);
  if (provider.type === "ai") return <p>The assistant can no longer use {provider.display_name}.</p>;
  if (!bots) return <p>The bots are still loading, so it is not known yet which need this key.</p>;
  const live = botsThatNeed(provider.id, bots);
  if (live.length === 0)
    return <p>No bot stops: none trades live on {provider.display_name}. Paper bots go on.</p>;
  return (
    <>
      <p>These live bots can no longer trade; their open positions stay open on the exchange:</p>
      <ul className="mt-2 list-disc pl-5">
        {live.map((bot) => (
          <li key={bot.id}>{bot.name}</li>
        ))}
      </ul>
    </>
  );
}

export function DeleteKey({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const remove = useDeleteKey(provider);
  return (
    <Dialog
      title={`Delete the key of ${provider.display_name}`}
      open
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button
            look="danger"
            pending={remove.isPending && "Deleting…"}
            onClick={() => remove.mutate(undefined, { onSuccess: onClose })}
          >
            Delete the key
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Consequence provider={provider} />
        <p className="text-ink-2">
          It is removed here only. Delete it at {provider.display_name} as well if nobody uses it any more.
        </p>
        <FormError error={remove.error} />
      </div>
    </Dialog>
  );
}
