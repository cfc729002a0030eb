import type { ReactNode } from "react";

/** The page of those who are not signed in yet: a name, a title, one form. */
export function SessionCard({
  title,
  intro,
  children,
}: {
  title: string;
  intro: ReactNode;
  children: ReactNode;
}) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-md flex-col justify-center gap-4 p-4">
      <title>{`${title} · Amarktai`}</title>
      <p className="flex items-center gap-2 text-lg font-semibold">
        <img src="/favicon.svg" alt="" className="size-7" />
        Amarktai
      </p>
      <div className="panel flex flex-col gap-4 p-5">
        <h1>{title}</h1>
        <div className="text-ink-2">{intro}</div>
        {children}
      </div>
    </main>
  );
}
