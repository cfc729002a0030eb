import type { ExternalOrder } from "@/api/models";
import { Moment } from "@/ui/age";
import { Quantity } from "@/ui/money";
import { Panel } from "@/ui/panel";
import { ScrollRegion } from "@/ui/scroll-region";

/** Orders in the accounts that the platform did not place: known, and left alone. */
export function ExternalOrders({ items }: { items: ExternalOrder[] }) {
  if (items.length === 0) return null;
  return (
    <Panel title="Orders by hand" note="not placed by the platform, and never touched by it">
      <ScrollRegion label="Orders by hand">
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">Placed</th>
              <th scope="col">Market</th>
              <th scope="col">Side</th>
              <th scope="col" className="num">
                Quantity
              </th>
              <th scope="col" className="num">
                Price
              </th>
              <th scope="col" className="num">
                Filled
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={`${item.platform}${item.venue_order_id}`}>
                <td>
                  <Moment at={item.created_at} />
                </td>
                <td>{item.instrument_id}</td>
                <td>{item.side}</td>
                <td className="num">
                  <Quantity value={item.quantity} />
                </td>
                <td className="num">
                  <Quantity value={item.price ?? item.stop_price} reason="It was sent at the market." />
                </td>
                <td className="num">
                  <Quantity value={item.filled_quantity} />
                </td>
                <td>{item.status}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </Panel>
  );
}
