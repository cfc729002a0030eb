import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { usersQuery } from "@/api/account-queries";
import { api } from "@/api/client";
import { keys } from "@/api/keys";
import type { ManagedUser, User } from "@/api/models";
import { Ago } from "@/ui/age";
import { FilterSelect } from "@/ui/field";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/panel";
import { Loaded } from "@/ui/state";
import { Invites } from "./invites";
import { Switch } from "./switch";

/** Users and invites. Other people's bots and money are not shown here: nobody sees them but they. */
export function People({ me }: { me: User }) {
  const query = useQuery(usersQuery);
  return (
    <Panel title="People" className="scroll-mt-14 xl:col-span-2">
      <div id="people">
        <Loaded query={query} what="the users" rows={2}>
          {(users) => (
            <ul>
              {users.map((user) => (
                <Person key={user.id} user={user} self={user.id === me.id} />
              ))}
            </ul>
          )}
        </Loaded>
      </div>
      <Invites />
    </Panel>
  );
}

function Person({ user, self }: { user: ManagedUser; self: boolean }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (body: { role?: string; is_active?: boolean }) => api.patch(`/api/users/${user.id}`, body),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: keys.users });
      announce(`Changed ${user.name}`);
    },
    onError: (error) => announce(`Not changed: ${error.message}`, "warning"),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2">
      <span className="min-w-40 grow">
        <span className="block font-medium">
          {user.name}
          {self && " (you)"}
        </span>
        <span className="block text-sm text-ink-2">
          {user.email}, {user.bots_count} bots, seen{" "}
          <Ago at={user.last_seen_at} reason="Not signed in yet." />
        </span>
      </span>
      <FilterSelect
        label={`Role of ${user.name}`}
        value={user.role}
        disabled={self || change.isPending}
        title={self ? "Your own role can only be changed by another administrator." : undefined}
        onChange={(event) => change.mutate({ role: event.target.value })}
      >
        <option value="admin">Administrator</option>
        <option value="trader">Trader</option>
        <option value="viewer">Viewer</option>
      </FilterSelect>
      {!self && (
        <Switch
          label={`${user.name} may sign in`}
          on={user.is_active}
          onChange={(is_active) => change.mutate({ is_active })}
        />
      )}
    </li>
  );
}
