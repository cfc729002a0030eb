import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { orderQuery, ordersQuery } from "@/api/book-queries";
import type { Bot, Order } from "@/api/models";
import { Moment } from "@/ui/age";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Quantity } from "@/ui/money";
import { ScrollRegion } from "@/ui/scroll-region";
import { Segmented } from "@/ui/segmented";
import { Empty, Loaded } from "@/ui/state";

const SCOPES = [
  { value: "open", label: "Open" },
  { value: "all", label: "All" },
] as const;

/** Orders in their states; each opens to its history, the state UNKNOWN explained. */
export function Orders({ bot }: { bot: Bot }) {
  const [scope, setScope] = useState<"open" | "all">("open");
  const [shown, setShown] = useState<Order | null>(null);
  const query = useQuery(ordersQuery(bot.id, scope === "open"));
  return (
    <>
      <div className="px-4 pt-3">
        <Segmented label="Orders" value={scope} options={SCOPES} onChange={setScope} />
      </div>
      <Loaded query={query} what="the orders" rows={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              {scope === "open" ? "No order is open. " : "It has not sent an order yet. "}
              Orders appear here the moment the bot decides on one.
            </Empty>
          ) : (
            <OrderTable orders={items} onShow={setShown} />
          )
        }
      </Loaded>
      {shown && <OrderHistory order={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function OrderTable({ orders, onShow }: { orders: Order[]; onShow: (order: Order) => void }) {
  return (
    <ScrollRegion label="Orders" className="mt-2">
      <table className="ledger">
        <thead>
          <tr>
            {["Created", "Order", "State"].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {["Quantity", "Filled", "Price", "Average"].map((head) => (
              <th key={head} scope="col" className="num">
                {head}
              </th>
            ))}
            <th scope="col">Why</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <tr key={order.id}>
              <td>
                <Moment at={order.created_at} />
              </td>
              <td className="whitespace-nowrap">
                {order.side} {order.type.replaceAll("_", " ")}
              </td>
              <td className="whitespace-nowrap">{order.state.replaceAll("_", " ").toLowerCase()}</td>
              <td className="num">
                <Quantity value={order.quantity} />
              </td>
              <td className="num">
                <Quantity value={order.filled_quantity} />
              </td>
              <td className="num">
                <Quantity
                  value={order.price ?? order.stop_price}
                  reason="A market order has no price of its own."
                />
              </td>
              <td className="num">
                <Quantity value={order.average_price} reason="Nothing is filled yet." />
              </td>
              <td className="min-w-40 text-ink-2">{order.reject_reason ?? order.reason}</td>
              <td className="num py-0!">
                <Button look="quiet" className="min-h-7! px-2 text-sm" onClick={() => onShow(order)}>
                  History
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function OrderHistory({ order, onClose }: { order: Order; onClose: () => void }) {
  const query = useQuery(orderQuery(order.id));
  return (
    <Dialog
      title={`${order.side === "buy" ? "Buy" : "Sell"} order of ${order.pair}`}
      side
      open
      onClose={onClose}
    >
      <p className="mb-3 text-sm text-ink-2">
        Our id <code className="font-mono select-all">{order.client_order_id}</code>
      </p>
      {order.state.toLowerCase() === "unknown" && (
        <p className="mb-3 rounded-md bg-s2 px-3 py-2">
          <strong className="font-semibold">Unknown</strong> means that the venue did not answer. Nothing is
          sent twice: the platform asks the venue what became of it before it goes on.
        </p>
      )}
      <Loaded query={query} what="the order's history" rows={5}>
        {({ events, fills }) => (
          <>
            <ol className="flex flex-col">
              {events.map((event) => (
                <li
                  key={`${event.at} ${event.to_state}`}
                  className="border-b border-line py-1.5 last:border-0"
                >
                  <span className="font-medium">{event.to_state.replaceAll("_", " ").toLowerCase()}</span>{" "}
                  <span className="text-sm text-ink-2">
                    <Moment at={event.at} />
                  </span>
                  {event.detail && <p className="text-ink-2">{event.detail}</p>}
                </li>
              ))}
            </ol>
            <p className="mt-3 text-ink-2">{fills.length === 1 ? "1 fill" : `${fills.length} fills`}</p>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
