"""What every venue checks of an order before anything else: its prices, its steps, its minimum."""

from __future__ import annotations

from amarktai.domain.instrument import Instrument
from amarktai.domain.order import OrderType
from amarktai.ports.venue import OrderRequest, VenueRejected


def check_steps(instrument: Instrument, request: OrderRequest) -> None:
    """Check that an order has the prices that its type needs, on the tick, and a quantity on the lot.

    Raises: VenueRejected.
    """
    needed = {
        OrderType.MARKET: (),
        OrderType.LIMIT: (("price", request.price),),
        OrderType.STOP_MARKET: (("stop price", request.stop_price),),
    }[request.type]
    for name, price in needed:
        if price is None or price <= 0:
            raise VenueRejected("PRICE_MISSING", f"A {request.type} order needs a {name} above zero")
        if price % instrument.tick_size:
            raise VenueRejected(
                "PRICE_OFF_TICK", f"The {name} {price} is no multiple of the tick {instrument.tick_size}"
            )
    if request.quantity % instrument.lot_size:
        raise VenueRejected(
            "QUANTITY_OFF_LOT", f"{request.quantity} is no multiple of the lot {instrument.lot_size}"
        )
    if request.quantity <= 0 or request.quantity < instrument.min_quantity:
        raise VenueRejected(
            "BELOW_MIN_QUANTITY", f"{request.quantity} is below the minimum of {instrument.min_quantity}"
        )
