"""Binance's refusals. Source: "Error codes" of the Binance spot API documents.

-1000, -1001, -1006, -1007, -1008 and any 5xx leave a create's outcome unknown, by Binance's own words
or for want of them; so does a code that no row has. A client order id that is taken may be taken by this
very order, delivered twice: its outcome is asked for.
"""

from __future__ import annotations

from typing import Final

from amarktai.domain.instrument import Platform
from amarktai.venues.error_table import Dialect, ErrorRule, Meaning
from amarktai.venues.transport import Answer

_R, _K, _B, _A, _U = Meaning.REFUSED, Meaning.KEY, Meaning.BUSY, Meaning.ABSENT, Meaning.UNCLEAR
_KEY_HELP: Final = "Check the key, rights and addresses at Binance, then test it on the API keys page."
_FUNDS_HELP: Final = "Deposit, or lower the bot's capital."
_STEPS_HELP: Final = "The market's rules may have changed; they are read again at the next start."
_TYPE_HELP: Final = "Use a limit order in this market."
_LATER: Final = "It is tried again by itself."
_REPORT: Final = "Report this with the log."

RULES: Final = (
    ErrorRule("-2010", _U, "DUPLICATE_CLIENT_ORDER_ID", "The earlier order stands.", "duplicate order sent"),
    ErrorRule("-2010", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP, "insufficient balance"),
    ErrorRule("-2010", _R, "POST_ONLY_WOULD_TAKE", "Place it further away.", "immediately match and take"),
    ErrorRule("-2010", _R, "STOP_WOULD_TRIGGER", "Choose a stop beyond the price.", "trigger immediately"),
    ErrorRule("-2010", _R, "MARKET_CLOSED", "Wait until Binance opens the market.", "market is closed"),
    ErrorRule("-2010", _R, "ORDER_TYPE_UNSUPPORTED", _TYPE_HELP, "not supported for this symbol"),
    ErrorRule("-2010", _R, "ORDER_TYPE_UNSUPPORTED", _TYPE_HELP, "unsupported order combination"),
    ErrorRule("-2010", _R, "NOT_ENOUGH_LIQUIDITY", "Use a limit order.", "liquidity"),
    ErrorRule("-2010", _R, "ACCOUNT_RESTRICTED", "Ask Binance's support.", "account"),
    ErrorRule("-2010", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("-2011", _R, "ORDER_NOT_OPEN", "The order is asked for."),
    ErrorRule("-2013", _A, "ORDER_NOT_FOUND", "Look at Binance's own list of orders."),
    ErrorRule("-2026", _U, "RECORDS_TOO_OLD", "Look at Binance's own statement."),
    ErrorRule("-2039", _R, "INVALID_ORDER", _REPORT),
    ErrorRule("-1013", _R, "PRICE_OFF_TICK", _STEPS_HELP, "price_filter"),
    ErrorRule("-1013", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market.", "percent_price"),
    ErrorRule("-1013", _R, "QUANTITY_OFF_LOT", _STEPS_HELP, "lot_size"),
    ErrorRule("-1013", _R, "BELOW_MIN_NOTIONAL", "Trade a larger amount.", "notional"),
    ErrorRule("-1013", _R, "TOO_MANY_ORDERS", "Cancel some orders first.", "max_num"),
    ErrorRule("-1013", _R, "TOO_MANY_ORDERS", "Cancel some orders first.", "exchange_max"),
    ErrorRule("-1013", _R, "ABOVE_MAX_QUANTITY", "Trade a smaller amount.", "max_position"),
    ErrorRule("-1013", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("-1014", _R, "ORDER_TYPE_UNSUPPORTED", _TYPE_HELP),
    ErrorRule("-1015", _B, "VENUE_RATE_LIMITED", "Fewer orders at once; the bot decides anew."),
    ErrorRule("-1020", _R, "ORDER_TYPE_UNSUPPORTED", _TYPE_HELP),
    ErrorRule("-1021", _R, "CLOCK_DIFFERS", "Set this machine's clock right; it is measured again."),
    ErrorRule("-1022", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("-1002", _K, "VENUE_KEY_RIGHTS", _KEY_HELP),
    ErrorRule("-2014", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("-2015", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("-1003", _B, "VENUE_RATE_LIMITED", _LATER),
    ErrorRule("-1111", _R, "QUANTITY_OFF_LOT", _STEPS_HELP),
    ErrorRule("-1112", _R, "NOT_ENOUGH_LIQUIDITY", "Wait for the market."),
    ErrorRule("-1121", _R, "UNKNOWN_INSTRUMENT", "Choose a pair that Binance lists."),
    ErrorRule("-1122", _R, "MARKET_CLOSED", "Wait until Binance opens the market."),
    ErrorRule("-1220", _R, "MARKET_CLOSED", "Wait until Binance opens the market."),
    *(ErrorRule(str(code), _R, "INVALID_ORDER", _REPORT) for code in (
        -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1114, -1115, -1116, -1117, -1118, -1119,
        -1120, -1127, -1128, -1130,
    )),
    ErrorRule("-1000", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("-1001", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("-1006", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("-1007", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("-1008", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("-1016", _U, "VENUE_MAINTENANCE", _LATER),
)  # fmt: skip


def read_refusal(answer: Answer) -> tuple[str, str] | None:
    """Return (code, msg), or the bare status where the body has none; None of a success."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.is_success and "code" not in body:
        return None
    return str(body.get("code", answer.status)), str(body.get("msg", ""))


DIALECT: Final = Dialect(Platform.BINANCE, RULES, read_refusal)
