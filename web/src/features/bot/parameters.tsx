import { useQuery } from "@tanstack/react-query";
import type { Bot } from "@/api/models";
import { strategiesQuery } from "@/api/queries";
import { formatNumber, isDecimal } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";
import { ScrollRegion } from "@/ui/scroll-region";
import { Loaded } from "@/ui/state";

/** What the bot was told: each parameter, its meaning, its default and its limits. */
export function Parameters({ bot }: { bot: Bot }) {
  const query = useQuery(strategiesQuery);
  const style = useNumberStyle();
  const text = (value: unknown) =>
    typeof value === "number" || isDecimal(value)
      ? formatNumber(String(value), { minPlaces: 0, maxPlaces: 8, style })
      : String(value);
  return (
    <Loaded query={query} what="the strategy" rows={4}>
      {(strategies) => {
        const strategy = strategies.find(({ id }) => id === bot.strategy);
        if (!strategy) return <p className="p-4">The library no longer has the strategy {bot.strategy}.</p>;
        return (
          <>
            <p className="max-w-[72ch] px-4 pt-3 text-ink-2">
              {strategy.description} Source: {strategy.source}
            </p>
            <ScrollRegion label="Parameters" className="mt-2">
              <table className="ledger">
                <thead>
                  <tr>
                    <th scope="col">Parameter</th>
                    <th scope="col" className="num">
                      Value
                    </th>
                    <th scope="col" className="num">
                      Default
                    </th>
                    <th scope="col" className="num">
                      Limits
                    </th>
                    <th scope="col">Meaning</th>
                  </tr>
                </thead>
                <tbody>
                  {strategy.parameters.map((parameter) => (
                    <tr key={parameter.name}>
                      <th scope="row" className="text-ink!">
                        {parameter.name.replaceAll("_", " ")}
                      </th>
                      <td className="num font-medium">
                        {text(bot.params[parameter.name] ?? parameter.default)} {parameter.unit}
                      </td>
                      <td className="num text-ink-2">{text(parameter.default)}</td>
                      <td className="num text-ink-2">
                        {text(parameter.low)} to {text(parameter.high)}
                      </td>
                      <td className="text-ink-2">{parameter.description}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          </>
        );
      }}
    </Loaded>
  );
}
