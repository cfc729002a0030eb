"""Luno's error codes. The document lists codes and texts; the HTTP status of most is not stated: 400."""

from __future__ import annotations

from typing import Final

from amarktai.twins.calls import Answer, Refusal
from amarktai.twins.rules import Reason

_TEXTS: Final = {
    "ErrCannotStopUnknownOrNonPendingOrder": (400, "Cannot stop unknown or non-pending order."),
    "ErrDeadlineExceeded": (400, "Could not complete before the deadline"),
    "ErrDisallowedTarget": (400, "Given address not allowed."),
    "ErrDuplicateClientOrderID": (409, "Duplicate client order id"),
    "ErrInsufficientBalance": (400, "Insufficient balance."),
    "ErrInsufficientPerms": (403, "You do not have the required permissions to perform this action"),
    "ErrInternal": (500, "Something went wrong. We're looking into it."),
    "ErrInvalidAccountID": (400, "Invalid account ID specified"),
    "ErrInvalidArguments": (400, "Invalid arguments"),
    "ErrInvalidBaseVolume": (400, "Invalid base volume for sell order."),
    "ErrInvalidClientOrderId": (400, "Invalid client order id"),
    "ErrInvalidCounterVolume": (400, "Invalid counter volume for buy order."),
    "ErrInvalidMarketPair": (400, "Market pair is invalid"),
    "ErrInvalidOrderSide": (400, "Order side is invalid"),
    "ErrInvalidStopDirection": (400, "Stop direction is invalid."),
    "ErrInvalidStopPrice": (400, "Invalid order stop price."),
    "ErrLimitOutOfRange": (400, "List limit is out of allowed range"),
    "ErrMarketUnavailable": (400, "Market not available"),
    "ErrNotEnoughLiquidity": (
        400,
        "Market order price would vary too much from the market rate - use a limit order instead",
    ),
    "ErrNotFound": (404, "No result found"),
    "ErrOrderCanceled": (400, "Your post-only order was cancelled before trading"),
    "ErrOrderNotFound": (404, "Cannot find that order"),
    "ErrPostOnlyNotAllowed": (
        400,
        "IOC and FOK time-in-force types are not supported as post-only orders",
    ),
    "ErrPriceDenominationNotAllowed": (400, "Price contains too many decimal places"),
    "ErrPriceTooHigh": (400, "Price is above the maximum"),
    "ErrPriceTooLow": (400, "Price is below the minimum"),
    "ErrTooManyRequests": (429, "You are exceeding the allowed request rate limit"),
    "ErrTooManyRowsRequested": (400, "Too many rows requested"),
    "ErrUnauthorised": (401, "You are not authorised to access this route"),
    "ErrUnderMaintenance": (503, "The market is currently undergoing maintenance"),
    "ErrApiKeyRevoked": (401, "Your API key has been revoked."),
    "ErrVolumeDenominationNotAllowed": (400, "Volume contains too many decimal places"),
    "ErrVolumeTooHigh": (400, "Volume is above the maximum"),
    "ErrVolumeTooLow": (400, "Volume is below the minimum"),
}
_OF_REASON: Final = {
    Reason.INSUFFICIENT_FUNDS: "ErrInsufficientBalance",
    Reason.DUPLICATE_CLIENT_ID: "ErrDuplicateClientOrderID",
    Reason.WOULD_MATCH: "ErrOrderCanceled",
    Reason.NOT_ENOUGH_LIQUIDITY: "ErrNotEnoughLiquidity",
    Reason.STOP_WOULD_TRIGGER: "ErrInvalidStopPrice",
    Reason.NOT_LIVE: "ErrCannotStopUnknownOrNonPendingOrder",
}


def error(code: str) -> Answer:
    """Return Luno's answer for one of its codes."""
    status, text = _TEXTS[code]
    return Answer({"error": text, "error_code": code}, status)


def refuse(code: str) -> Refusal:
    """Return what to raise for one of Luno's codes."""
    return Refusal(error(code))


def refusal_of(reason: Reason) -> Refusal:
    """Return what to raise for a refusal of the engine."""
    return refuse(_OF_REASON[reason])
