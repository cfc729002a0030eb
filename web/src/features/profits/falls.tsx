import type { EquitySeries } from "@/api/models";
import { Moment } from "@/ui/age";
import { Money, Percent } from "@/ui/money";

/** The deepest falls in words: how deep, from when to when, and whether they are over. */
export function Falls({ drawdowns }: Pick<EquitySeries, "drawdowns">) {
  if (drawdowns.length === 0) return null;
  return (
    <ol className="border-t border-line px-4 py-2 text-sm">
      {drawdowns.map((fall, place) => (
        <li key={fall.peak_at} className="flex flex-wrap gap-x-3 py-0.5">
          <span className="text-ink-2">{place + 1}.</span>
          <span className="font-medium">
            <Percent value={-fall.percent} result /> <Money value={fall.depth} result arrow={false} />
          </span>
          <span className="text-ink-2">
            from <Moment at={fall.peak_at} />, lowest <Moment at={fall.trough_at} />,{" "}
            {fall.recovered_at ? (
              <>
                over <Moment at={fall.recovered_at} />
              </>
            ) : (
              "not over yet"
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
