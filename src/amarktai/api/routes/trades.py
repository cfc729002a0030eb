"""Round trips, orders, the ledger and the paper wallet."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from amarktai.api.auth import Container, Who, Writer
from amarktai.api.csv_answers import CSV, csv_answer
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.base import Instant
from amarktai.api.models.trades import (
    AccountPage,
    EntryPage,
    Funding,
    LedgerCheck,
    OrderAnswer,
    OrderPage,
    Statement,
    TradeAnswer,
    TradePage,
    WalletAnswer,
    WalletView,
)
from amarktai.api.paging import Cursor, Limit, page
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import Platform
from amarktai.domain.order import OrderState
from amarktai.domain.round_trip import RoundTripStatus
from amarktai.ports.reports import EntryFilter, OrderFilter, TradeFilter

router = APIRouter(prefix="/api", tags=["trades"], route_class=IdempotentRoute, responses=SIGNED_IN)

Sort = Literal["opened_at", "-opened_at", "closed_at", "-closed_at", "profit_loss", "-profit_loss"]
Pair = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9]{1,20}/[A-Za-z0-9]{1,20}$")]
Asset = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9]{1,20}$")]


Kind = Annotated[str | None, Query(pattern=r"^[a-z]{1,20}$", examples=["funding", "conversion"])]
Account = Annotated[str, Query(pattern=r"^[A-Za-z0-9:/._-]{1,100}$", examples=["holding:wallet"])]
AccountPrefix = Annotated[str, Query(pattern=r"^[A-Za-z0-9:/._-]{0,100}$", examples=["holding:bot:"])]


class TradeSelection(BaseModel):
    """Which round trips, in which order."""

    status: RoundTripStatus | None = None
    mode: TradingMode | None = None
    bot_id: UUID | None = None
    platform: Platform | None = None
    pair: Pair = None
    since: Instant | None = None
    until: Instant | None = None
    sort: Sort = "-opened_at"


class TradeQuery(TradeSelection):
    """One page of them."""

    cursor: Cursor = None
    limit: Limit = 50


@router.get("/trades")
async def list_trades(who: Who, services: Container, query: Annotated[TradeQuery, Query()]) -> TradePage:
    """Return round trips."""
    wanted = TradeFilter(**query.model_dump(exclude={"cursor", "limit"}))
    found = await services.trades.list_trades(who.user_id, wanted, cursor=query.cursor, limit=query.limit)
    return TradePage.model_validate(page(found))


@router.get("/trades/export", responses=CSV, response_class=StreamingResponse)
async def export_trades(
    who: Who, services: Container, query: Annotated[TradeSelection, Query()]
) -> StreamingResponse:
    """Return round trips as CSV, all that match."""
    return await csv_answer(services.exports.trades(who.user_id, TradeFilter(**query.model_dump())), "trades")


@router.get("/trades/{trade_id:uuid}", responses=responses(404))
async def read_trade(trade_id: UUID, who: Who, services: Container) -> TradeAnswer:
    """Return one round trip with its fills."""
    return TradeAnswer.model_validate(await services.trades.get(who.user_id, trade_id))


@router.get("/orders")
async def list_orders(
    who: Who,
    services: Container,
    bot_id: UUID | None = None,
    state: OrderState | None = None,
    open: bool | None = None,  # noqa: A002 - the API's word
    cursor: Cursor = None,
    limit: Limit = 50,
) -> OrderPage:
    """Return orders, the latest first."""
    found = await services.orders.list_orders(
        who.user_id, OrderFilter(bot_id, state, open), cursor=cursor, limit=limit
    )
    return OrderPage.model_validate(page(found))


@router.get("/orders/{order_id:uuid}", responses=responses(404))
async def read_order(order_id: UUID, who: Who, services: Container) -> OrderAnswer:
    """Return one order with every transition and fill."""
    return OrderAnswer.model_validate(await services.orders.get(who.user_id, order_id))


@router.get("/ledger/entries")
async def list_entries(
    who: Who,
    services: Container,
    bot_id: UUID | None = None,
    trade_id: UUID | None = None,
    asset: Asset = None,
    kind: Kind = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EntryPage:
    """Return ledger entries with their postings, the latest first."""
    found = await services.ledger.entries(
        who.user_id, EntryFilter(bot_id, trade_id, asset, kind), cursor=cursor, limit=limit
    )
    return EntryPage.model_validate(page(found))


@router.get("/ledger/accounts")
async def list_accounts(
    who: Who,
    services: Container,
    mode: TradingMode | None = None,
    prefix: AccountPrefix = "",
    cursor: Cursor = None,
    limit: Limit = 200,
) -> AccountPage:
    """Return what each account holds, asset by asset; empty ones are left out."""
    found = await services.ledger.accounts(who.user_id, mode=mode, prefix=prefix, cursor=cursor, limit=limit)
    return AccountPage.model_validate(page(found))


@router.get("/ledger/statement")
async def read_statement(
    who: Who,
    services: Container,
    account: Account = "holding:wallet",
    asset: Annotated[str, Query(pattern=r"^[A-Za-z0-9]{1,20}$")] = "ZAR",
    mode: TradingMode | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Statement:
    """Return what moved on an account, the latest first, with its running balance."""
    found = await services.ledger.statement(
        who.user_id, mode=mode, account=account, asset=asset, cursor=cursor, limit=limit
    )
    return Statement.model_validate(page(found))


@router.get("/ledger/verify")
async def verify_ledger(who: Who, services: Container) -> LedgerCheck:
    """Recompute balances and the hash chain and name the first difference."""
    return LedgerCheck.model_validate(await services.ledger.verify(who.user_id))


@router.get("/wallet/paper")
async def read_wallet(who: Who, services: Container) -> WalletView:
    """Return the paper wallet, asset by asset."""
    return WalletView.model_validate(await services.wallet.view(who.user_id))


@router.post("/wallet/paper/fund")
async def fund_wallet(body: Funding, who: Writer, services: Container) -> WalletAnswer:
    """Put play money into the paper wallet."""
    view = await services.wallet.fund(who.user_id, body.amount, by=who)
    return WalletAnswer.model_validate({"wallet": view})
