"""An order's way in the logs: one trace from its claim to its fill."""

from __future__ import annotations

from structlog.testing import capture_logs

from amarktai.domain.order import Side
from amarktai.storage.embedded import DatabaseUrls
from tests.services.live_desk import live_desk


async def test_one_trace_leads_from_the_decision_to_the_fill(database_urls: DatabaseUrls) -> None:
    async with live_desk(database_urls) as desk:
        await desk.reconcile()
        with capture_logs() as logs:
            await desk.submit(Side.BUY)
            await desk.hear()
        (order,) = await desk.stored()
        mine = [line for line in logs if line.get("trace") == order.id.hex]
        assert [line["event"] for line in mine] == ["order sending", "order leaves", "order filled"]
        assert mine[0]["decision"] == "d1"
        assert (mine[-1]["detail"], mine[0]["log_level"]) == (f"{order.quantity:f}", "info")


async def test_a_refused_entry_says_why_and_leaves_nothing_else(database_urls: DatabaseUrls) -> None:
    async with live_desk(database_urls) as desk:  # nothing was reconciled yet
        with capture_logs() as logs:
            await desk.submit(Side.BUY)
        (order,) = await desk.stored()
        (line,) = (line for line in logs if line.get("trace") == order.id.hex)
        assert line["event"] == "order denied"
        assert "ACCOUNT_NOT_ACTIVE" in line["reason"]
