import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Wallet } from "@/api/models";
import { Moment } from "@/ui/age";
import { Money, Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";
import { Unknown } from "@/ui/unknown";

function Total({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="panel hatched px-4 py-2.5">
      <dt className="text-sm text-ink-2">{name}</dt>
      <dd className="text-xl font-semibold">{children}</dd>
    </div>
  );
}

const SOME = "An asset below has no rand rate, so the sum is not known.";

/** Totals in rand, and each asset with what is free, what bots have, and the rate it is valued at. */
export function WalletAssets({ wallet }: { wallet: Wallet }) {
  return (
    <>
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,13rem),1fr))] gap-3">
        <Total name="In all">
          <Money value={wallet.total} reason={SOME} />
        </Total>
        <Total name="Free">
          <Link to="/ledger" search={{ account: "holding:wallet", asset: "ZAR" }} className="link">
            <Money value={wallet.available} />
          </Link>
        </Total>
        <Total name="With bots">
          <Money value={wallet.allocated} reason={SOME} />
        </Total>
      </dl>
      <Panel title="Assets">
        <ScrollRegion label="Assets of the paper wallet">
          <table className="ledger">
            <thead>
              <tr>
                <th scope="col">Asset</th>
                <th scope="col" className="num">
                  Free
                </th>
                <th scope="col" className="num">
                  With bots
                </th>
                <th scope="col" className="num">
                  Worth in rand
                </th>
                <th scope="col">Rate, source and time</th>
              </tr>
            </thead>
            <tbody>
              {wallet.assets.map((asset) => (
                <tr key={asset.asset}>
                  <th scope="row" className="text-ink!">
                    <Link to="/ledger" search={{ asset: asset.asset }} className="link">
                      {asset.asset}
                    </Link>
                  </th>
                  <td className="num">
                    <Link
                      to="/ledger"
                      search={{ account: "holding:wallet", asset: asset.asset }}
                      className="hover:underline"
                    >
                      <Quantity value={asset.available} />
                    </Link>
                  </td>
                  <td className="num">
                    <Quantity value={asset.allocated} />
                  </td>
                  <td className="num">
                    <Money value={asset.value_zar} reason={asset.value_reason} />
                  </td>
                  <td className="whitespace-nowrap text-ink-2">
                    {asset.asset === "ZAR" ? (
                      "the rand itself"
                    ) : asset.rate === null ? (
                      <Unknown reason={asset.value_reason} />
                    ) : (
                      <>
                        <Quantity value={asset.rate} maxPlaces={4} /> {asset.rate_source},{" "}
                        <Moment at={asset.rate_at} />
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      </Panel>
    </>
  );
}
