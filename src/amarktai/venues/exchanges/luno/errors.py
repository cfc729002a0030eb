"""Luno's refusals. Source: "Error Codes" of the Luno API 1.2.5.

``ErrInternal`` and ``ErrDeadlineExceeded`` ("could not complete before the deadline") do not say
whether the order exists, and neither do codes that the list does not have. A client order id that is
taken may be taken by this very order, delivered twice: its outcome is asked for.
"""

from __future__ import annotations

from typing import Final

from amarktai.domain.instrument import Platform
from amarktai.venues.error_table import Dialect, ErrorRule, Meaning
from amarktai.venues.transport import Answer

_R, _K, _B, _A, _U = Meaning.REFUSED, Meaning.KEY, Meaning.BUSY, Meaning.ABSENT, Meaning.UNCLEAR
_KEY_HELP: Final = "Check the key and its permissions at Luno, then test it on the API keys page."
_STEPS_HELP: Final = "The market's rules may have changed; they are read again at the next start."
_FUNDS_HELP: Final = "Deposit, or lower the bot's capital."
_LATER: Final = "It is tried again by itself."

RULES: Final = (
    ErrorRule("ErrDuplicateClientOrderID", _U, "DUPLICATE_CLIENT_ORDER_ID", "The earlier order stands."),
    ErrorRule("ErrInsufficientBalance", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP),
    ErrorRule("ErrInsufficientFunds", _R, "INSUFFICIENT_FUNDS", _FUNDS_HELP),
    ErrorRule("ErrOrderCanceled", _R, "POST_ONLY_WOULD_TAKE", "Place it further from the market."),
    ErrorRule("ErrPostOnlyMode", _R, "MARKET_CLOSED", "The market takes only post-only orders now."),
    ErrorRule("ErrPostOnlyNotAllowed", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrNotEnoughLiquidity", _R, "NOT_ENOUGH_LIQUIDITY", "Use a limit order or a smaller amount."),
    ErrorRule("ErrVolumeTooLow", _R, "BELOW_MIN_QUANTITY", "Trade a larger amount."),
    ErrorRule("ErrVolumeTooHigh", _R, "ABOVE_MAX_QUANTITY", "Trade a smaller amount."),
    ErrorRule("ErrValueTooHigh", _R, "ABOVE_MAX_QUANTITY", "Trade a smaller amount."),
    ErrorRule("ErrAmountTooSmall", _R, "BELOW_MIN_QUANTITY", "Trade a larger amount."),
    ErrorRule("ErrAmountTooBig", _R, "ABOVE_MAX_QUANTITY", "Trade a smaller amount."),
    ErrorRule("ErrPriceTooLow", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market."),
    ErrorRule("ErrPriceTooHigh", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market."),
    ErrorRule("ErrStopPriceTooLow", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market."),
    ErrorRule("ErrStopPriceTooHigh", _R, "PRICE_OUT_OF_RANGE", "Choose a price nearer to the market."),
    ErrorRule("ErrPriceDenominationNotAllowed", _R, "PRICE_OFF_TICK", _STEPS_HELP),
    ErrorRule("ErrVolumeDenominationNotAllowed", _R, "QUANTITY_OFF_LOT", _STEPS_HELP),
    ErrorRule("ErrCounterDenominationNotAllowed", _R, "QUANTITY_OFF_LOT", _STEPS_HELP),
    ErrorRule("ErrInvalidBaseVolume", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidCounterVolume", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidVolume", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidPrice", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidStopPrice", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidStopDirection", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidOrderSide", _R, "INVALID_ORDER", _STEPS_HELP),
    ErrorRule("ErrInvalidMarketPair", _R, "UNKNOWN_INSTRUMENT", "Choose a pair that Luno lists."),
    ErrorRule("ErrInvalidClientOrderId", _R, "INVALID_ORDER", "Report this with the log."),
    ErrorRule("ErrInvalidArguments", _R, "INVALID_ORDER", "Report this with the log."),
    ErrorRule("ErrInvalidParameters", _R, "INVALID_ORDER", "Report this with the log."),
    ErrorRule("ErrLimitOutOfRange", _R, "INVALID_ORDER", "Report this with the log."),
    ErrorRule("ErrMarketUnavailable", _R, "MARKET_CLOSED", "Wait until Luno opens the market."),
    ErrorRule("ErrMarketNotAllowed", _R, "MARKET_CLOSED", "This market is not open to your account."),
    ErrorRule("ErrUnderMaintenance", _R, "VENUE_MAINTENANCE", "Wait until Luno opens the market."),
    ErrorRule("ErrCannotTradeWhileQuoteActive", _R, "MARKET_CLOSED", "Finish the open quote at Luno."),
    ErrorRule("ErrUserNotVerifiedForCurrency", _R, "ACCOUNT_RESTRICTED", "Verify your account at Luno."),
    ErrorRule("ErrCannotStopUnknownOrNonPendingOrder", _R, "ORDER_NOT_OPEN", "The order is asked for."),
    ErrorRule("ErrOrderNotFound", _A, "ORDER_NOT_FOUND", "Look at Luno's own list of orders."),
    ErrorRule("ErrNotFound", _A, "ORDER_NOT_FOUND", "Look at Luno's own list of orders."),
    ErrorRule("ErrUnauthorised", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("ErrApiKeyRevoked", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("ErrInsufficientPerms", _K, "VENUE_KEY_RIGHTS", _KEY_HELP),
    ErrorRule("401", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("ErrTooManyRequests", _B, "VENUE_RATE_LIMITED", _LATER),
    ErrorRule("ErrDeadlineExceeded", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("ErrInternal", _U, "VENUE_UNREACHABLE", _LATER),
    ErrorRule("429", _U, "VENUE_RATE_LIMITED", _LATER),
)  # fmt: skip


def read_refusal(answer: Answer) -> tuple[str, str] | None:
    """Return (error_code, error), or the bare status where Luno's body has none; None of a success."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.is_success and "error_code" not in body and "error" not in body:
        return None
    return str(body.get("error_code") or answer.status), str(body.get("error") or "")


DIALECT: Final = Dialect(Platform.LUNO, RULES, read_refusal)
