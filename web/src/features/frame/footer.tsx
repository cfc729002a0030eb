import { useQuery } from "@tanstack/react-query";
import { buildQuery } from "@/api/queries";
import { useZone } from "@/fmt/prefs";
import { Button } from "@/ui/button";
import { Unknown } from "@/ui/unknown";
import { useUpdateAvailable } from "./reload";

export const shortSha = (sha: string) =>
  /^[0-9a-f]{8,}\+?$/.test(sha) ? sha.slice(0, 7) + (sha.endsWith("+") ? "+" : "") : sha;

/** Which builds run, in which zone times are shown, and whose chart library draws. */
export default function Footer() {
  const { data, error } = useQuery(buildQuery);
  const update = useUpdateAvailable();
  const zone = useZone();
  return (
    <footer className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-xs text-ink-2">
      <span>
        Dashboard <code className="font-mono">{shortSha(__BUILD_SHA__)}</code>
      </span>
      <span>
        API{" "}
        {data?.backend.sha ? (
          <code className="font-mono">{shortSha(data.backend.sha)}</code>
        ) : (
          <Unknown
            reason={
              error
                ? error.message
                : data
                  ? "The program does not run from a known commit."
                  : "The server has not said it yet."
            }
          />
        )}
      </span>
      {update && (
        <Button className="min-h-7! px-2 text-xs" onClick={() => location.reload()}>
          Update available: reload
        </Button>
      )}
      <span>Times in {zone}</span>
      <span className="md:ml-auto">
        Charts by{" "}
        <a className="link" href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
          TradingView Lightweight Charts
        </a>
      </span>
    </footer>
  );
}
