"""The five platforms: what each is doing for the user, and whether its prices arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.instrument import DISPLAY_NAMES, Platform, parse_platform
from amarktai.ledger.profit import ALL_DAYS, RollupDelta, RollupKey
from amarktai.ports.catalog import Catalog, FeedRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.feed import FeedState
from amarktai.ports.reports import BotSelection, Reporting
from amarktai.services.bot_views import BotViews
from amarktai.services.days import local_day
from amarktai.services.equity_series import win_rate
from amarktai.services.views import instant, money


class PlatformService:
    """``notes`` says per platform what people should know while it has no feed."""

    def __init__(
        self,
        reporting: Reporting,
        clock: Clock,
        *,
        catalog: Catalog,
        bots: BotViews,
        caps: Mapping[Platform, int],
        notes: Mapping[Platform, str],
    ) -> None:
        self._reporting = reporting
        self._clock = clock
        self._catalog = catalog
        self._bots = bots
        self._caps = caps
        self._notes = notes

    async def summary(self, user_id: UUID, *, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return all five platforms, connected or not."""
        now = to_datetime(self._clock.now_ns())
        feeds = {feed.platform: feed for feed in await self._catalog.feeds()}
        async with self._reporting.snapshot(user_id) as reports:
            setting = await reports.setting()
            chosen, today = setting.book(mode), local_day(now, setting.timezone)
            counts = await reports.bots.counts(chosen)
            figures = await reports.figures.platform_days(chosen, [today])
        platforms = []
        for platform in Platform:
            total = figures.get(RollupKey("platform", platform.value, ALL_DAYS), RollupDelta())
            of_today = figures.get(RollupKey("platform", platform.value, today), RollupDelta())
            all_bots, active = counts.get(platform, (0, 0))
            platforms.append(
                {
                    "platform": platform.value,
                    "display_name": DISPLAY_NAMES[platform],
                    **self._feed_view(platform, feeds.get(platform), now),
                    "bots_count_total": all_bots,
                    "bots_active": active,
                    "bot_limit": self._caps[platform],
                    "profit_today": money(of_today.profit_zar),
                    "profit_total": money(total.profit_zar),
                    "trades_today": of_today.trades,
                    "win_rate": win_rate(total.wins, total.trades),
                }
            )
        return {
            "success": True,
            "mode": chosen.value,
            "platforms": platforms,
            "total_platforms": len(platforms),
            "timestamp": instant(now),
        }

    async def bots(self, user_id: UUID, platform: Platform, *, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return a platform's bots, the most profitable first. Raises: InvalidInput INVALID_EXCHANGE."""
        parse_platform(platform)
        async with self._reporting.snapshot(user_id) as reports:
            chosen = (await reports.setting()).book(mode)
            wanted = BotSelection(platform=platform, mode=chosen)
            bots = await self._bots.many(reports, wanted)
        bots.sort(key=lambda bot: (-Decimal(bot["total_profit"]), UUID(bot["id"])))
        return {
            "success": True,
            "platform": platform.value,
            "display_name": DISPLAY_NAMES[platform],
            "mode": chosen.value,
            "bots": bots,
            "total_bots": len(bots),
            "timestamp": instant(to_datetime(self._clock.now_ns())),
        }

    def _feed_view(self, platform: Platform, feed: FeedRow | None, now: datetime) -> dict[str, Any]:
        if feed is None:
            return {
                "connected": False,
                "status_message": self._notes[platform],
                "origin": None,
                "feed_state": None,
                "feed_age_s": None,
            }
        return {
            "connected": feed.state is FeedState.LIVE,
            "status_message": feed.message,
            "origin": feed.origin.value,
            "feed_state": feed.state.value,
            "feed_age_s": age_s(feed.last_received_at, now),
        }


def age_s(at: datetime | None, now: datetime) -> float | None:
    """Return how many seconds ago something happened; None when it never did."""
    return None if at is None else round(max((now - at).total_seconds(), 0.0), 3)
