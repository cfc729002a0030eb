"""KuCoin's refusals. Source: KuCoin's documents ("Error codes"), its SDK's specification, ccxt 4.5.90.

400200 has meant "forbidden to place an order" and "unknown partner": it is not taken for a refusal.
Answers are an envelope ``{"code", "data" | "msg"}``, refusals often with HTTP 200. What KuCoin says of
a client order id that is used again is not documented: unless a row knows the words, such a create is of
unknown outcome, and the order that stands is found by its id.
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from amarktai.domain.instrument import Platform
from amarktai.venues.error_table import Dialect, ErrorRule, Meaning
from amarktai.venues.transport import Answer

_R, _K, _B, _A, _U = Meaning.REFUSED, Meaning.KEY, Meaning.BUSY, Meaning.ABSENT, Meaning.UNCLEAR
_KEY_HELP: Final = "Check the key, passphrase, rights and addresses at KuCoin, then test it here."
_FUNDS_HELP: Final = "Deposit into KuCoin's trading account, or lower the bot's capital."
_STEPS_HELP: Final = "The market's rules may have changed; they are read again at the next start."
_OPEN_HELP: Final = "Wait until KuCoin opens the market."
_ASK_HELP: Final = "Ask KuCoin's support about your account."
_LATER: Final = "It is tried again by itself."
OK: Final = "200000"
#: How long a pool of requests lasts.
POOL_S: Final = 30.0

RULES: Final = (
    ErrorRule("400100", _A, "ORDER_NOT_FOUND", "Look at KuCoin's own list of orders.", "not_exist"),
    ErrorRule("400100", _A, "ORDER_NOT_FOUND", "Look at KuCoin's own list of orders.", "not exist"),
    ErrorRule("order_not_exist", _A, "ORDER_NOT_FOUND", "Look at KuCoin's own list of orders."),
    ErrorRule("200004", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP),
    ErrorRule("230003", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP),
    ErrorRule("400100", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP, "account.available.amount"),
    ErrorRule("400100", _R, "BELOW_MIN_QUANTITY", "Trade a larger amount.", "below the minimum"),
    ErrorRule("400100", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market.", "given range"),
    ErrorRule("400100", _R, "UNKNOWN_INSTRUMENT", "Choose a pair that KuCoin lists.", "trading pair"),
    ErrorRule("400100", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("600100", _R, "QUANTITY_OFF_LOT", _STEPS_HELP),
    ErrorRule("600203", _R, "MARKET_CLOSED", _OPEN_HELP),
    ErrorRule("400600", _R, "UNKNOWN_INSTRUMENT", "Choose a pair that KuCoin lists."),
    ErrorRule("200001", _R, "MARKET_CLOSED", _OPEN_HELP),
    ErrorRule("200002", _R, "MARKET_CLOSED", _OPEN_HELP),
    ErrorRule("200003", _R, "TOO_MANY_ORDERS", "Cancel some orders first."),
    ErrorRule("400303", _R, "ACCOUNT_RESTRICTED", _ASK_HELP),
    ErrorRule("400500", _R, "ACCOUNT_RESTRICTED", _ASK_HELP),
    ErrorRule("400700", _R, "ACCOUNT_RESTRICTED", _ASK_HELP),
    ErrorRule("411100", _R, "ACCOUNT_RESTRICTED", _ASK_HELP),
    ErrorRule("400002", _R, "CLOCK_DIFFERS", "Set this machine's clock right; it is measured again."),
    *(ErrorRule(code, _K, "VENUE_KEY_REFUSED", _KEY_HELP) for code in (
        "400001", "400003", "400004", "400005", "400006", "400008", "400009",
    )),
    ErrorRule("400007", _K, "VENUE_KEY_RIGHTS", _KEY_HELP),
    ErrorRule("429000", _B, "VENUE_RATE_LIMITED", _LATER),
    ErrorRule("400200", _U, "ACCOUNT_RESTRICTED", _ASK_HELP),
    ErrorRule("500000", _U, "VENUE_UNREACHABLE", _LATER),
)  # fmt: skip


def read_refusal(answer: Answer) -> tuple[str, str] | None:
    """Return (code, msg), or the bare status where there is no envelope; None of a success."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.is_success and body.get("code") == OK:
        return None
    return str(body.get("code", answer.status)), str(body.get("msg", ""))


def unwrap(body: Any) -> Any:
    """Return the payload of an envelope; None where it has none."""
    return body.get("data")


def ban_seconds(answer: httpx.Response) -> float:
    """Return how long a pool that is used up stays so: KuCoin tells it in ms, at most its 30 seconds."""
    told = answer.headers.get("gw-ratelimit-reset", "")
    return max(1.0, int(told) / 1_000) if told.isdigit() else POOL_S


DIALECT: Final = Dialect(Platform.KUCOIN, RULES, read_refusal, unwrap)
