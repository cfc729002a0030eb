import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { buttonClass } from "@/ui/button";
import { Failed } from "@/ui/failed";
import { PageHead } from "@/ui/panel";

export function NotFound() {
  return (
    <div className="flex flex-col items-start gap-4 p-4">
      <PageHead title="There is nothing at this address" />
      <p className="text-ink-2">It may have been deleted, or the link has a mistake in it.</p>
      <Link to="/" className={buttonClass()}>
        Open the overview
      </Link>
    </div>
  );
}

export function ScreenFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <div className="panel m-4">
      <Failed what="this screen" error={error} onRetry={retry} />
    </div>
  );
}
