import { useId } from "react";
import type { Strategy } from "@/api/models";
import { formatNumber } from "@/fmt/number";
import { useNumberStyle } from "@/fmt/prefs";

interface ParameterRowProps {
  parameter: Strategy["parameters"][number];
  value: string;
  problem: string | null;
  onChange: (value: string) => void;
}

export function ParameterRow({ parameter, value, problem, onChange }: ParameterRowProps) {
  const id = useId();
  const style = useNumberStyle();
  const text = (figure: number) => formatNumber(String(figure), { minPlaces: 0, maxPlaces: 8, style });
  return (
    <tr>
      <th scope="row" className="text-ink!">
        <label htmlFor={id}>{parameter.name.replaceAll("_", " ")}</label>
      </th>
      <td>
        <span className="flex items-center gap-2 whitespace-nowrap">
          <input
            id={id}
            inputMode={parameter.type === "int" ? "numeric" : "decimal"}
            value={value}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${id}-problem` : undefined}
            onChange={(event) => onChange(event.target.value)}
            className="control w-28 text-right"
          />
          <span className="text-ink-2">{parameter.unit}</span>
        </span>
        {problem && (
          <p id={`${id}-problem`} role="alert" className="mt-1 text-sm font-semibold">
            {problem}
          </p>
        )}
      </td>
      <td className="num text-ink-2">{text(parameter.default)}</td>
      <td className="num text-ink-2">
        {text(parameter.low)} to {text(parameter.high)}
      </td>
      <td className="min-w-56 text-ink-2">{parameter.description}</td>
    </tr>
  );
}
