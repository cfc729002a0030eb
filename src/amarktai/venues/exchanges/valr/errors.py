"""VALR's refusals. Source: VALR's Postman collection; rows marked (3) are known from third parties only.

A code that is not here says nothing of a create: the order is looked up (see ``account``).
"""

from __future__ import annotations

from typing import Final

from amarktai.domain.instrument import Platform
from amarktai.venues.error_table import Dialect, ErrorRule, Meaning
from amarktai.venues.transport import Answer

_R, _K, _A, _U = Meaning.REFUSED, Meaning.KEY, Meaning.ABSENT, Meaning.UNCLEAR
_KEY_HELP: Final = "Check the key, its permissions and addresses at VALR, then test it on the API keys page."
_MARGIN_HELP: Final = "The platform never asks for margin; report this with the log."
_STEPS_HELP: Final = "The market's rules may have changed; they are read again at the next start."
_LATER: Final = "It is tried again by itself."
_AMOUNT_HELP: Final = "Trade a larger amount."

RULES: Final = (
    ErrorRule("-6", _R, "INSUFFICIENT_FUNDS", "Deposit, or lower the bot's capital."),
    ErrorRule("-12007", _R, "BELOW_MIN_QUANTITY", _AMOUNT_HELP),
    ErrorRule("-21", _R, "UNKNOWN_INSTRUMENT", "Choose a pair that VALR lists."),
    ErrorRule("-12005", _R, "ORDER_TYPE_UNSUPPORTED", "Choose another order type or market."),
    ErrorRule("-113", _R, "INVALID_ORDER", "Report this with the log."),
    ErrorRule("-11", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("-21403", _R, "STOP_WOULD_TRIGGER", "Place the stop further from the market."),
    ErrorRule("-19213", _R, "ACCOUNT_RESTRICTED", _MARGIN_HELP),
    ErrorRule("-19219", _R, "ACCOUNT_RESTRICTED", _MARGIN_HELP),  # (3)
    ErrorRule("-11252", _K, "VENUE_KEY_REFUSED", _KEY_HELP),  # (3)
    ErrorRule("-11272", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("401", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("403", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("-1", _A, "ORDER_NOT_FOUND", "Look at VALR's own list of orders."),
    ErrorRule("404", _A, "ORDER_NOT_FOUND", "Look at VALR's own list of orders."),
    # A market that closes does so while orders are on their way: the records tell.
    ErrorRule("-32", _U, "MARKET_CLOSED", "Wait until VALR opens the market."),
    # An order with that id stands: it may be the very one that was sent, so nothing is refused. (3)
    ErrorRule("-11502", _U, "DUPLICATE_CLIENT_ORDER_ID", _LATER),
    ErrorRule("202", _U, "VENUE_UNREACHABLE", _LATER),  # taken, not placed: v2 never says that
    ErrorRule("429", _U, "VENUE_RATE_LIMITED", _LATER),
)  # fmt: skip


def read_refusal(answer: Answer) -> tuple[str, str] | None:
    """Return (code, message), or the bare status where the body has no code; None of a success.

    A negative code refuses whatever the status is: some pages show failures next to 201.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    code = body.get("code")
    if isinstance(code, int) and code < 0:
        return str(code), str(body.get("message") or "").strip()
    if answer.is_success and answer.status != 202:
        return None
    return str(answer.status), str(body.get("message") or "").strip()


DIALECT: Final = Dialect(Platform.VALR, RULES, read_refusal)
