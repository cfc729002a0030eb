"""Rows for the mock API: a small, deterministic account in the API's own shapes."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

NOW = datetime(2026, 11, 22, 12, 2, 9, tzinfo=UTC)
PLATFORMS = {"luno": "Luno", "binance": "Binance", "kucoin": "KuCoin", "ovex": "OVEX", "valr": "VALR"}
CONNECTED = ("luno", "binance", "kucoin")
MARKETS = {
    "luno": [
        ("BTC", "ZAR", "1904210"),
        ("ETH", "ZAR", "61240"),
        ("XRP", "ZAR", "43.12"),
        ("SOL", "ZAR", "3120"),
    ],
    "binance": [("BTC", "USDT", "104312.40"), ("ETH", "USDT", "3361.55")],
    "kucoin": [("BTC", "USDT", "104310.1"), ("XRP", "USDT", "2.361")],
}
STRATEGIES = [
    (
        "ema_cross",
        "EMA cross",
        "Buys when the fast average crosses above the slow one, sells when it crosses back. "
        "Earns in trends, loses a little in sideways markets.",
        "1h",
    ),
    (
        "rsi_reversion",
        "RSI reversion",
        "Buys after a fast fall, sells when the price has recovered. "
        "Earns in sideways markets, suffers in long falls.",
        "1h",
    ),
    (
        "donchian_trend",
        "Donchian trend",
        "Buys the highest price of the last days, sells the lowest. Few trades, long holds, deep pauses.",
        "4h",
    ),
    ("grid", "Grid", "Places buy and sell orders in steps around the price.", "15m"),
]


def iso(moment: datetime) -> str:
    return moment.isoformat()


def ago(**span: float) -> str:
    return iso(NOW - timedelta(**span))


def money(value: float | Decimal) -> str:
    return f"{value:.8f}"


def strategies() -> list[Row]:
    parameters = [
        {
            "name": "fast",
            "description": "Bars in the fast average.",
            "type": "int",
            "default": 12,
            "low": 2,
            "high": 200,
            "unit": "bars",
        },
        {
            "name": "slow",
            "description": "Bars in the slow average.",
            "type": "int",
            "default": 26,
            "low": 3,
            "high": 400,
            "unit": "bars",
        },
        {
            "name": "stop_percent",
            "description": "Sells when the price falls this far under the entry.",
            "type": "float",
            "default": 2.0,
            "low": 0.1,
            "high": 50.0,
            "unit": "%",
        },
    ]
    return [
        {
            "id": key,
            "title": title,
            "description": text,
            "kind": "signals",
            "default_timeframe": frame,
            "source": "Appel (1979), Technical Analysis",
            "parameters": parameters,
        }
        for key, title, text, frame in STRATEGIES
    ]


def instruments(origin: str) -> list[Row]:
    rows = []
    for platform, markets in MARKETS.items():
        for base, quote, price in markets:
            feed = {
                "state": "live",
                "message": "",
                "last_received_at": ago(seconds=0.4),
                "age_s": 0.4,
                "retry_at": None,
            }
            rows.append(
                {
                    "id": f"{platform}:{base}/{quote}",
                    "platform": platform,
                    "pair": f"{base}/{quote}",
                    "base": base,
                    "quote": quote,
                    "tick_size": "0.01",
                    "lot_size": "0.000001",
                    "min_quantity": "0.000001",
                    "min_notional": "10",
                    "maker_fee_percent": 0.1,
                    "taker_fee_percent": 0.25,
                    "fee_source": "published fee table, 2026-10",
                    "origin": origin,
                    "feed": feed,
                    "price": price,
                    "price_at": ago(seconds=0.4),
                }
            )
    return rows


def decision(index: int, at: str) -> Row:
    gap = round(0.04 + index * 0.013, 3)
    gates = [
        {"name": "data_age_s", "value": 0.4, "op": "<=", "threshold": 30, "passed": True},
        {"name": "ema_gap_percent", "value": gap, "op": ">=", "threshold": 0.1, "passed": gap >= 0.1},
        {"name": "free_capital", "value": "8421.12", "op": ">=", "threshold": "1000", "passed": True},
    ]
    reason = f"EMA gap {gap} %, needs 0.1 %"
    return {"at": at, "verdict": "hold", "reason": reason, "gates": gates, "data_age_s": 0.4}


def bot(index: int, origin: str) -> Row:
    names = ["ZAR trend", "BTC trend", "ETH revert", "XRP scalp", "SOL breakout", "Grid"]
    key, title, _, frame = STRATEGIES[index % len(STRATEGIES)]
    platform = CONNECTED[index % 3]
    base, quote, price = MARKETS[platform][index % len(MARKETS[platform])]
    status = ("active", "active", "active", "paused", "active", "stopped")[index % 6]
    realized = Decimal(((index * 7919) % 4200) - 1400) + Decimal("0.37")
    held = status == "active" and index % 2 == 0
    unrealized = Decimal(((index * 613) % 500) - 190) + Decimal("0.05") if held else Decimal(0)
    unknown = index % 7 == 5
    position = (
        {
            "quantity": "0.01472700",
            "average_price": price,
            "value": "2804.21",
            "mark_price": price,
            "marked_at": ago(seconds=0.4),
        }
        if held
        else None
    )
    return {
        "id": f"00000000-0000-4000-8000-{index:012d}",
        "name": f"{names[index % len(names)]} {index + 1}",
        "platform": platform,
        "pair": f"{base}/{quote}",
        "instrument_id": f"{platform}:{base}/{quote}",
        "strategy": key,
        "strategy_title": title,
        "params": {"fast": 12, "slow": 26, "stop_percent": 2.0},
        "timeframe": frame,
        "risk_mode": "balanced",
        "trading_mode": "paper",
        "status": status,
        "lifecycle_stage": "paper_training",
        "origin": origin,
        "capital_zar": "10000.00000000",
        "current_capital": None if unknown else money(Decimal(10000) + realized + unrealized),
        "quote_asset": quote,
        "capital_quote": "10000.00000000" if quote == "ZAR" else "548.21000000",
        "realized_profit": money(realized),
        "unrealized_profit": None if unknown else money(unrealized),
        "unrealized_reason": "no ZAR rate for USDT at 14:00" if unknown else None,
        "profit_today": money(realized / 11),
        "total_profit": money(realized),
        "total_fees": money(41 + index),
        "total_trades": 8 + index,
        "trades_today": index % 4,
        "winning_trades": 5,
        "losing_trades": 3 + index,
        "win_rate": round(500 / (8 + index), 2),
        "max_drawdown_percent": 3.2 + index % 9,
        "position": position,
        "pause_reason": "USER_PAUSED" if status == "paused" else None,
        "created_at": ago(days=12),
        "started_at": ago(days=12),
        "paused_at": ago(hours=3) if status == "paused" else None,
        "stopped_at": ago(days=1) if status == "stopped" else None,
        "last_trade_time": ago(hours=5),
        "last_decision": decision(index % 5, ago(minutes=3 + index)),
        "next_decision_at": iso(NOW + timedelta(minutes=12)) if status == "active" else None,
        "rests_because": None,
        **abilities(status),
    }


def abilities(status: str) -> Row:
    return {
        "can_start": status in ("stopped", "paused"),
        "can_pause": status == "active",
        "can_resume": status == "paused",
        "can_stop": status in ("active", "paused"),
        "can_delete": True,
        "cannot_reason": f"The bot is {status}.",
    }


def equity(points: int) -> Row:
    def level(i: int) -> float:
        return 100_000 + 900 * math.sin(i / 9) + 320 * math.sin(i / 2.7) + i * 14 - 400

    items = [
        {
            "at": iso(NOW - timedelta(hours=4 * (points - i))),
            "equity": money(level(i)),
            "realized_profit": money(level(i) - 100_120),
            "unrealized_profit": "120.00000000",
            "drawdown_percent": round(2 + 2 * math.sin(i / 9), 4),
        }
        for i in range(points)
    ]
    falls = [
        {
            "peak_at": ago(hours=4 * (points - start)),
            "trough_at": ago(hours=4 * (points - start - 6)),
            "recovered_at": ago(hours=4 * (points - start - 14)) if start < 100 else None,
            "depth": money(-4_310 / (place + 1)),
            "percent": round(4.31 / (place + 1), 4),
        }
        for place, start in enumerate((20, 60, 150) if points > 170 else ())
    ]
    return {"items": items, "currency": "ZAR", "max_drawdown_percent": 4.31, "drawdowns": falls}


def benchmark(points: int, mode: str) -> Row:
    curve = equity(points)["items"]
    items = [
        {"at": row["at"], "equity": money(99_600 + 500 * math.sin(i / 20))} for i, row in enumerate(curve)
    ]
    return {
        "mode": mode,
        "instrument_id": "luno:BTC/ZAR",
        "origin": "live" if points else None,
        "items": items,
        "change_percent": 1.27 if points else None,
        "reason": None if points else "there is no equity curve to compare with yet",
        "currency": "ZAR",
    }


def report(span: str, mode: str, bots: list[Row]) -> Row:
    """Return a report whose days add up to its totals."""
    running, days = 0.0, list[Row]()
    for i in range(30 if bots else 0):
        profit = float((i * 977) % 1300 - 430) if i % 5 else 0.0
        running += profit
        days.append(
            {
                "date": (NOW - timedelta(days=29 - i)).date().isoformat(),
                "profit": money(profit),
                "running": money(running),
                "fees": money(i),
                "trades": i % 4,
                "wins": i % 3,
                "losses": 0,
            }
        )
    trades = sum(day["trades"] for day in days)
    share = {
        "realized_profit": "4194.02000000",
        "fees": "201.33000000",
        "trades": 21,
        "win_rate": 57.1,
        "expectancy": "199.71523810",
    }
    return {
        "span": span,
        "first": (NOW - timedelta(days=266 if span == "tax_year" else 29)).date().isoformat(),
        "last": NOW.date().isoformat(),
        "mode": mode,
        "realized_profit": money(running),
        "realized_reason": None,
        "fees": "435.00000000",
        "trades": trades,
        "winning_trades": 29,
        "losing_trades": 14,
        "win_rate": 67.4 if trades else None,
        "expectancy": money(running / trades) if trades else None,
        "days": days,
        "by_bot": [{"bot_id": row["id"], "bot_name": row["name"], **share} for row in bots[:10]],
        "by_platform": [{"platform": name, **share} for name in CONNECTED] if bots else [],
        "by_pair": [{"platform": "luno", "pair": pair, **share} for pair in ("BTC/ZAR", "ETH/ZAR")]
        if bots
        else [],
        "currency": "ZAR",
        "timestamp": iso(NOW),
        "timezone": "Africa/Johannesburg",
    }


def candles(instrument_id: str, timeframe: str, origin: str) -> Row:
    start = 1_904_210.0
    items = []
    for i in range(200):
        opened = start * (1 + 0.02 * math.sin(i / 14) + 0.004 * math.sin(i * 1.7))
        closed = start * (1 + 0.02 * math.sin((i + 1) / 14) + 0.004 * math.sin((i + 1) * 1.7))
        high, low = max(opened, closed) * 1.0021, min(opened, closed) * 0.9981
        moment = iso((NOW - timedelta(hours=200 - i)).replace(minute=0, second=0))
        items.append(
            {
                "ts_open": moment,
                "open": round(opened, 2),
                "high": round(high, 2),
                "low": round(low, 2),
                "close": round(closed, 2),
                "volume": round(3 + 2 * abs(math.sin(i)), 4),
            }
        )
    return {
        "items": items,
        "instrument_id": instrument_id,
        "timeframe": timeframe,
        "origin": origin,
        "gaps": 0,
    }


def trade(index: int, owner: Row) -> Row:
    closed = index % 9 != 0
    result = Decimal(((index * 3571) % 900) - 320) + Decimal("0.42")
    return {
        "id": f"10000000-0000-4000-8000-{index:012d}",
        "bot_id": owner["id"],
        "bot_name": owner["name"],
        "platform": owner["platform"],
        "pair": owner["pair"],
        "side": "long",
        "mode": "paper",
        "status": "closed" if closed else "open",
        "origin": owner["origin"],
        "quantity": "0.01472700",
        "entry_price": "1904210.00",
        "exit_price": "1912004.00" if closed else None,
        "opened_at": ago(hours=6 * index + 4),
        "closed_at": ago(hours=6 * index) if closed else None,
        "profit_loss": money(result) if closed else None,
        "profit_percent": float(result) / 100 if closed else None,
        "gross_profit": money(result + 9),
        "fees": "9.00000000",
        "quote_asset": owner["quote_asset"],
        "profit_loss_quote": money(result / 18),
        "zar_rate": "18.21400000",
        "zar_rate_source": "ECB reference",
        "zar_rate_at": ago(days=1),
        "zar_reason": None,
        "exit_reason": "fast average crossed below" if closed else None,
        "strategy": owner["strategy"],
    }


def fill(index: int, owner: Row) -> Row:
    return {
        "id": f"20000000-0000-4000-8000-{index:012d}",
        "order_id": f"30000000-0000-4000-8000-{index:012d}",
        "trade_id": owner["id"],
        "side": "buy" if index % 2 == 0 else "sell",
        "quantity": owner["quantity"],
        "price": owner["entry_price"],
        "notional": "28043.30",
        "fee_amount": "70.10",
        "fee_asset": "ZAR",
        "liquidity": "taker",
        "executed_at": owner["opened_at"],
        "recorded_at": owner["opened_at"],
        "zar_rate": "1",
        "zar_rate_source": "rand market",
        "zar_rate_at": owner["opened_at"],
        "ledger_entry_id": f"40000000-0000-4000-8000-{index:012d}",
        "origin": owner["origin"],
        "venue_trade_id": None,
    }


def order(index: int, owner: Row) -> Row:
    return {
        "id": f"30000000-0000-4000-8000-{index:012d}",
        "client_order_id": f"amk-{index:06d}",
        "bot_id": owner["id"],
        "bot_name": owner["name"],
        "platform": owner["platform"],
        "pair": owner["pair"],
        "mode": "paper",
        "tag": "entry",
        "side": "sell",
        "type": "stop_loss",
        "state": "ACCEPTED",
        "quantity": "0.01472700",
        "filled_quantity": "0",
        "price": None,
        "stop_price": "1866125.80",
        "average_price": None,
        "post_only": False,
        "reduce_only": True,
        "reason": "stop 2 % under the entry",
        "reject_reason": None,
        "reserved_asset": "BTC",
        "reserved_amount": "0.01472700",
        "created_at": ago(hours=4),
        "updated_at": ago(hours=4),
        "closed_at": None,
    }


def ledger_entry(seq: int, trade_id: str) -> Row:
    postings = [
        {"account": "user:paper:bot:cash:ZAR", "asset": "ZAR", "amount": "-28113.40"},
        {"account": "user:paper:venue:luno:ZAR", "asset": "ZAR", "amount": "28043.30"},
        {"account": "user:paper:fees:luno:ZAR", "asset": "ZAR", "amount": "70.10"},
    ]
    return {
        "id": f"40000000-0000-4000-8000-{seq:012d}",
        "seq": seq,
        "kind": "fill",
        "book": "paper",
        "effective_at": ago(hours=4),
        "recorded_at": ago(hours=4),
        "description": "Bought 0.014727 BTC",
        "reference": {"trade_id": trade_id},
        "postings": postings,
        "hash": "9f2c" * 16,
        "prev_hash": "1b7e" * 16,
    }


def conversion(seq: int, owner: Row) -> Row:
    """Return the entry that made a bot's rand into dollars."""
    holding = f"holding:bot:{owner['id'].replace('-', '')}"
    return ledger_entry(seq, "") | {
        "kind": "conversion",
        "description": "Converted 10000 ZAR to 548.21 USDT",
        "reference": {
            "bot_id": owner["id"],
            "rate": "18.24120000",
            "rate_source": "luno USDT/ZAR mid",
            "rate_at": ago(hours=5),
        },
        "postings": [
            {"account": holding, "asset": "ZAR", "amount": "-10000.00000000"},
            {"account": "conversion", "asset": "ZAR", "amount": "10000.00000000"},
            {"account": "conversion", "asset": "USDT", "amount": "-548.21000000"},
            {"account": holding, "asset": "USDT", "amount": "548.21000000"},
        ],
    }


def funding(seq: int, amount: int) -> Row:
    return ledger_entry(seq, "") | {
        "kind": "funding",
        "description": f"Paper wallet funded with {amount} ZAR",
        "reference": {},
        "postings": [
            {"account": "funding", "asset": "ZAR", "amount": money(-amount)},
            {"account": "holding:wallet", "asset": "ZAR", "amount": money(amount)},
        ],
    }


def statement_line(seq: int) -> Row:
    """Return a line of a wallet's statement: each entry but the first gives 1,000 to a bot."""
    first = seq == 1
    return {
        "entry_id": f"40000000-0000-4000-8000-{seq:012d}",
        "seq": seq,
        "kind": "funding" if first else "allocation",
        "description": "Paper wallet funded" if first else "Capital reserved for a bot",
        "effective_at": ago(days=12 - seq),
        "debit": "200000.00000000" if first else None,
        "credit": None if first else "1000.00000000",
        "balance": money(200_000 - 1_000 * (seq - 1)),
    }


def fact(seq: int, owner: Row) -> Row:
    """Return a fact of the audit log: a changed parameter, and the bot's making at the bottom."""
    made = seq == 1
    before, after = {"params": {"fast": 11 + seq}}, {"params": {"fast": 12 + seq}}
    return {
        "seq": seq,
        "at": ago(hours=20 - seq),
        "actor": "user:u-1",
        "actor_name": "Thandi",
        "action": "bot.created" if made else "bot.updated",
        "object_type": "bot",
        "object_id": owner["id"],
        "ip": "127.0.0.1",
        "before": None if made else before,
        "after": {"name": owner["name"]} if made else after,
        "reason": None,
        "hash": "7d1e" * 16,
    }


def activity(seq: int, owner: Row) -> Row:
    texts = {
        "trade_executed": f"{owner['name']} sold 0.014727 {owner['pair']}: +R 312,40 after fees",
        "bot_paused": f"{owner['name']} was paused by you",
        "profit_updated": f"{owner['name']}: profit today +R 1 204,91",
        "feed_changed": "Luno prices are live again",
    }
    kind = list(texts)[seq % len(texts)]
    payload = {"message": texts[kind], "bot_id": owner["id"]}
    return {"seq": seq, "type": kind, "payload": payload, "created_at": ago(minutes=4 * (60 - seq))}
