import { useQuery } from "@tanstack/react-query";
import { walletQuery } from "@/api/queries";
import { FundWallet } from "@/features/wallet/fund-wallet";
import { compareDecimals, percentOf } from "@/fmt/decimal";
import { parseTyped } from "@/fmt/number";
import { TextField } from "@/ui/field";
import { Money } from "@/ui/money";
import { Segmented } from "@/ui/segmented";
import { Loaded } from "@/ui/state";
import type { StepProps } from "./draft";
import { RISK_WORDS } from "./words";

const RISKS = (["safe", "balanced", "risky", "aggressive"] as const).map((value) => ({
  value,
  label: RISK_WORDS[value].name,
}));

/** Step 3: name, money and limits, with what they mean before they are in force. */
export function MoneyStep({ draft, onChange }: StepProps) {
  const wallet = useQuery(walletQuery);
  const capital = parseTyped(draft.capital);
  const stake = RISK_WORDS[draft.riskMode].stakePercent;
  return (
    <div className="flex flex-col gap-4">
      <TextField
        label="Name"
        value={draft.name}
        maxLength={60}
        onChange={(event) => onChange({ name: event.target.value })}
        hint="Unique among your bots."
      />
      <Loaded query={wallet} what="the paper wallet" rows={2}>
        {(funds) => {
          const short = capital !== null && compareDecimals(capital, funds.available) > 0;
          return (
            <>
              <TextField
                label="Paper money for it, in rand"
                inputMode="decimal"
                value={draft.capital}
                onChange={(event) => onChange({ capital: event.target.value })}
                error={
                  capital === null
                    ? "Write a number, for example 10 000."
                    : short
                      ? "More than your paper wallet has available."
                      : undefined
                }
                hint={
                  <>
                    Available in your paper wallet: <Money value={funds.available} />. Bots hold R 1 000 to R
                    100 000.
                  </>
                }
              />
              {short && <FundWallet />}
            </>
          );
        }}
      </Loaded>
      <div className="flex flex-col gap-2">
        <span className="font-medium">Risk</span>
        <div className="max-w-full overflow-x-auto p-0.5">
          <Segmented
            label="Risk"
            value={draft.riskMode}
            options={RISKS}
            onChange={(riskMode) => onChange({ riskMode })}
          />
        </div>
        {capital && (
          <p aria-live="polite" className="hatched rounded-md border border-line px-3 py-2">
            One position uses at most {String(stake)} % of its money:{" "}
            <Money value={percentOf(capital, stake)} /> of <Money value={capital} />.
          </p>
        )}
      </div>
    </div>
  );
}
