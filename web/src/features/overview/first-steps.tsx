import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import { Circle, CircleCheck, X } from "lucide-react";
import { useState } from "react";
import { usersQuery } from "@/api/account-queries";
import { botsQuery, meQuery } from "@/api/queries";
import { IconButton } from "@/ui/button";
import { Panel } from "@/ui/panel";

const CLOSED = "amarktai.first-steps";

interface Step {
  done: boolean;
  label: string;
  link: LinkProps;
}

/** What to do first. Each step ticks itself off; the card can be closed, and goes when all is done. */
export default function FirstSteps() {
  const { data: me } = useQuery(meQuery);
  const { data: bots } = useQuery(botsQuery);
  const { data: users } = useQuery({ ...usersQuery, enabled: me?.role === "admin" });
  const key = `${CLOSED}.${me?.id}`;
  const [closed, setClosed] = useState(() => localStorage.getItem(key) === "1");
  if (!me || !bots || closed) return null;
  const traded = bots.find((bot) => bot.total_trades > 0 || bot.position !== null);
  const first = bots[0];
  const steps: Step[] = [
    { done: bots.length > 0, label: "Start a paper bot", link: { to: "/bots", search: { new: true } } },
    {
      done: traded !== undefined,
      label: "See its first trade",
      link: first ? { to: "/bots/$botId", params: { botId: first.id } } : { to: "/bots" },
    },
    {
      done: bots.length > 1,
      label: "Compare it with a second strategy",
      link: { to: "/bots", search: { new: true } },
    },
  ];
  if (me.role === "admin") {
    steps.push({
      done: (users?.length ?? 0) > 1,
      label: "Invite somebody",
      link: { to: "/settings", hash: "people" },
    });
  }
  if (steps.every(({ done }) => done)) return null;
  const close = () => {
    localStorage.setItem(key, "1");
    setClosed(true);
  };
  return (
    <Panel
      title="First steps"
      actions={
        <IconButton label="Close the first steps" onClick={close}>
          <X aria-hidden className="size-4" />
        </IconButton>
      }
    >
      <ol className="flex flex-wrap gap-x-6 gap-y-1 px-4 pb-3">
        {steps.map(({ done, label, link }) => (
          <li key={label} className="flex min-h-8 items-center gap-2">
            {done ? (
              <CircleCheck aria-hidden className="size-4" />
            ) : (
              <Circle aria-hidden className="size-4 text-ink-3" />
            )}
            {done ? (
              <span className="text-ink-2">
                {label} <span className="sr-only">(done)</span>
              </span>
            ) : (
              <Link {...link} className="link">
                {label}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
