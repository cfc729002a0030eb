# long: the whole schema in one place, read top to bottom
"""Every table of the platform.

Money is ``numeric``; instants are ``timestamptz``; ids are UUIDv7. Each table with a ``user_id``
is protected by row-level security (see ``security.sql``); the others hold nothing of a user's.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Money = Numeric(38, 8)
Rate = Numeric(38, 18)
Instant = DateTime(timezone=True)
Uuid = UUID(as_uuid=True)


def _user_id(*, primary_key: bool = False) -> Column[object]:
    return Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, primary_key=primary_key)


# -- the platform itself -------------------------------------------------------------------------


def _or_nobody(column: str) -> TextClause:
    """Return a column of a unique index in which NULL is a value like any other."""
    return text(f"coalesce({column}, '00000000-0000-0000-0000-000000000000')")


assets = Table(
    "assets",
    metadata,
    Column("code", Text, primary_key=True),
    Column("scale", SmallInteger, nullable=False),
    Column("display_scale", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

platform_settings = Table(
    "platform_settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: What the live gate found when it was asked to open. Append-only.
readiness_reports = Table(
    "readiness_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("build", Text, nullable=False),
    Column("checks", JSONB, nullable=False),
    Column("asked_by", Text, nullable=False),
)

#: A trigger lets the base become live with a fresh report in which every check is met, and not otherwise.
system_mode = Table(
    "system_mode",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("mode", Text, nullable=False),
    Column("base", Text, nullable=False, server_default="paper"),
    Column("readiness_id", Uuid, ForeignKey("readiness_reports.id")),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
    CheckConstraint("singleton", name="one_row"),
    CheckConstraint("mode in ('paper', 'live', 'autopilot')", name="mode"),
    # Two modes are one base each; autopilot trades on paper until the live gate has passed.
    CheckConstraint("base in ('paper', 'live') and (mode = base or mode = 'autopilot')", name="base"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fencing_token", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

worker_heartbeats = Table(
    "worker_heartbeats",
    metadata,
    Column("role", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
    Column("detail", JSONB, nullable=False, server_default="{}"),
)

instruments = Table(
    "instruments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("tick_size", Rate, nullable=False),
    Column("lot_size", Rate, nullable=False),
    Column("min_quantity", Rate, nullable=False),
    Column("min_notional", Rate, nullable=False),
    Column("maker_fee", Rate, nullable=False),
    Column("taker_fee", Rate, nullable=False),
    Column("fee_source", Text, nullable=False),
    Column("cushion", Rate, nullable=False, server_default=text("0.005")),
    Column("origin", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("updated_at", Instant, nullable=False),
    Index(None, "platform"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("last_received_at", Instant),
    Column("retry_at", Instant),
    Column("instrument_count", Integer, nullable=False, server_default="0"),
    Column("updated_at", Instant, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("price", Rate, nullable=False),
    Column("at", Instant, nullable=False),
    Column("origin", Text, nullable=False),
)

fx_rates = Table(
    "fx_rates",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("rate_zar", Rate, nullable=False),
    Column("origin", Text, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("session_id", Text),
    Column("ip", Text),
    Column("action", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("reason", Text),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "object_type", "object_id", "seq"),
)

# -- people --------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("settings", JSONB, nullable=False, server_default="{}"),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant),
    CheckConstraint("role in ('admin', 'trader', 'viewer')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ip", Text),
    Column("user_agent", Text),
    Column("revoked_at", Instant),
    Column("stepped_up_at", Instant),
    Index(None, "user_id"),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Index(None, "user_id"),
)

invites = Table(
    "invites",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("email", Text),
    Column("role", Text, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("used_by", Uuid),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", Instant),
    Column("updated_at", Instant, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _user_id(primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("response", LargeBinary),
    Column("created_at", Instant, nullable=False),
)

# -- secrets -------------------------------------------------------------------------------------


def _sealed() -> list[Column[object]]:
    """Return the columns of an encrypted secret (ports.secrets.Sealed)."""
    return [
        Column("version", Uuid, nullable=False),
        Column("kek_id", Text, nullable=False),
        Column("wrapped_key", LargeBinary, nullable=False),
        Column("ciphertext", LargeBinary, nullable=False),
    ]


api_keys = Table(
    "api_keys",
    metadata,
    _user_id(primary_key=True),
    Column("provider", Text, primary_key=True),
    *_sealed(),
    Column("hint", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("last_tested_at", Instant),
    Column("last_outcome", Text),
    Column("last_test", JSONB),
    CheckConstraint("last_outcome in ('works', 'refused', 'unsafe', 'unreachable')", name="last_outcome"),
)

venue_accounts = Table(
    "venue_accounts",
    metadata,
    _user_id(primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("state in ('active', 'halted')", name="state"),
)

account_status = Table(
    "account_status",
    metadata,
    _user_id(primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("condition", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("opened_at", Instant),
    Column("watermark_at", Instant),
    Column("reconciled_at", Instant),
    Column("took_ms", Integer),
    Column("orders", Integer),
    Column("fills", Integer),
    CheckConstraint(
        "condition in ('active', 'reconciling', 'degraded', 'unexplained', 'closed')", name="condition"
    ),
)

#: The last comparison of each day: what the exchange has, what the ledger says, what rounding left out.
tie_outs = Table(
    "tie_outs",
    metadata,
    _user_id(primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("checked_at", Instant, nullable=False),
    Column("venue_total", Rate, nullable=False),
    Column("ledger_total", Money, nullable=False),
    Column("rounded", Rate, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
)

differences = Table(
    "differences",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("platform", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("noticed_at", Instant, nullable=False),
    Column("cause", Text),
    Column("note", Text),
    Column("explained_at", Instant),
    Column("explained_by", Text),
    CheckConstraint("cause in ('deposit', 'withdrawal', 'fee', 'reward', 'other')", name="cause"),
    CheckConstraint(
        "(explained_at is null) = (cause is null) and (explained_at is null) = (explained_by is null)",
        name="explained",
    ),
    Index("ix_differences_open", "user_id", postgresql_where=text("explained_at IS NULL")),
)

#: Orders in the account that the platform did not place: known, shown, never adopted.
external_orders = Table(
    "external_orders",
    metadata,
    _user_id(primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("venue_order_id", Text, primary_key=True),
    Column("instrument_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("type", Text),
    Column("quantity", Rate, nullable=False),
    Column("price", Rate),
    Column("stop_price", Rate),
    Column("status", Text, nullable=False),
    Column("filled_quantity", Rate, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    CheckConstraint("status in ('open', 'filled', 'canceled', 'expired', 'over')", name="status"),
)

#: What a person decided of an order that the machine could prove nothing about.
order_resolutions = Table(
    "order_resolutions",
    metadata,
    Column("order_id", Uuid, ForeignKey("orders.id"), primary_key=True),
    _user_id(),
    Column("note", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Text, nullable=False),
)

#: Everybody's have no user: each tenant sees them beside their own.
emergency_stops = Table(
    "emergency_stops",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id")),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("engaged_at", Instant, nullable=False),
    Column("engaged_by", Text, nullable=False),
    Column("released_at", Instant),
    Column("released_by", Text),
    CheckConstraint("source in ('api', 'command', 'file')", name="source"),
    CheckConstraint("(released_at is null) = (released_by is null)", name="release"),
    Index(
        "ix_emergency_stops_on",
        _or_nobody("user_id"),
        unique=True,
        postgresql_where=text("released_at IS NULL"),
    ),
)

#: Limits of everybody together (without a user), of one user, or of one bot. An amount, or names.
risk_limits = Table(
    "risk_limits",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id")),
    Column("bot_id", Uuid, ForeignKey("bots.id")),
    Column("kind", Text, nullable=False),
    Column("amount", Money),
    Column("names", ARRAY(Text)),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
    CheckConstraint("bot_id is null or user_id is not null", name="scope"),
    CheckConstraint("(amount is null) <> (names is null)", name="value"),
    CheckConstraint("amount > 0", name="amount"),
    Index(
        "ix_risk_limits_one",
        _or_nobody("user_id"),
        _or_nobody("bot_id"),
        "kind",
        unique=True,
    ),
)

#: Limits that were reached, and who reset them. One open trip per scope, book and kind.
circuit_breakers = Table(
    "circuit_breakers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id")),
    Column("bot_id", Uuid, ForeignKey("bots.id")),
    Column("mode", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("threshold", Money, nullable=False),
    Column("figure", Money, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tripped_at", Instant, nullable=False),
    Column("resets_at", Instant),
    Column("told_at", Instant),
    Column("reset_at", Instant),
    Column("reset_by", Text),
    Column("reset_reason", Text),
    CheckConstraint("bot_id is null or user_id is not null", name="scope"),
    CheckConstraint("mode in ('paper', 'live')", name="mode"),
    CheckConstraint("num_nulls(reset_at, reset_by, reset_reason) in (0, 3)", name="reset"),
    Index(
        "ix_circuit_breakers_tripped",
        _or_nobody("user_id"),
        _or_nobody("bot_id"),
        "mode",
        "kind",
        unique=True,
        postgresql_where=text("reset_at IS NULL"),
    ),
    Index("ix_circuit_breakers_tripped_at", "tripped_at", "id"),
    Index("ix_circuit_breakers_untold", "id", postgresql_where=text("told_at IS NULL")),
)

totp_factors = Table(
    "totp_factors",
    metadata,
    _user_id(primary_key=True),
    *_sealed(),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("last_step", BigInteger),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _user_id(primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# -- bots ----------------------------------------------------------------------------------------

bots = Table(
    "bots",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("name", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("instrument_id", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("risk_mode", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("lifecycle_stage", Text, nullable=False),
    Column("quote_asset", Text, nullable=False),
    Column("capital_zar", Money, nullable=False),
    Column("capital_quote", Money, nullable=False),
    Column("pause_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("paused_at", Instant),
    Column("stopped_at", Instant),
    Column("deleted_at", Instant),
    CheckConstraint("status in ('active', 'paused', 'stopped', 'deleted')", name="status"),
    CheckConstraint("mode in ('paper', 'live')", name="mode"),
    Index(
        "uq_bots_name",
        "user_id",
        text("lower(name)"),
        unique=True,
        postgresql_where=text("deleted_at is null"),
    ),
    Index(None, "user_id", "platform"),
)

bot_runtime = Table(
    "bot_runtime",
    metadata,
    Column("bot_id", Uuid, ForeignKey("bots.id"), primary_key=True),
    _user_id(),
    Column("strategy_state", JSONB, nullable=False, server_default="{}"),
    Column("last_bar_ts", BigInteger),
    Column("last_decision", JSONB),
    Column("next_decision_at", Instant),
    Column("peak_equity_zar", Money),
    Column("max_drawdown_ratio", Rate),
)

decisions = Table(
    "decisions",
    metadata,
    Column("bot_id", Uuid, ForeignKey("bots.id"), primary_key=True),
    Column("at", Instant, primary_key=True),
    _user_id(),
    Column("decision", JSONB, nullable=False),
)

# -- order path ----------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("book_id", Uuid, ForeignKey("ledger_books.id"), nullable=False),
    Column("bot_id", Uuid, ForeignKey("bots.id"), nullable=False),
    Column("instrument_id", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("decision_key", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("price", Money),
    Column("stop_price", Money),
    Column("post_only", Boolean, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("oco_group", Text),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("filled_quantity", Money, nullable=False),
    Column("filled_notional", Money, nullable=False),
    Column("reserved_asset", Text, nullable=False),
    Column("reserved_amount", Money, nullable=False),
    Column("venue_order_id", Text),
    Column("reject_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("deadline_at", Instant),
    UniqueConstraint("bot_id", "decision_key"),
    CheckConstraint("filled_quantity >= 0 and filled_quantity <= quantity", name="filled"),
    CheckConstraint("reserved_amount >= 0", name="reserved"),
    CheckConstraint(
        "reserved_amount = 0 or state not in"
        " ('denied','abandoned','filled','rejected','not_placed','canceled','expired','manual')",
        name="reservation_released",
    ),
    Index(None, "user_id", "created_at", "id"),
    Index(None, "bot_id", "created_at", "id"),
    Index(None, "user_id", "platform", "venue_order_id"),
    Index(
        "ix_orders_working",
        "bot_id",
        postgresql_where=text(
            "state not in ('denied','abandoned','filled','rejected',"
            "'not_placed','canceled','expired','manual')"
        ),
    ),
)

order_events = Table(
    "order_events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("order_id", Uuid, ForeignKey("orders.id"), nullable=False),
    _user_id(),
    Column("event", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Index(None, "order_id", "id"),
)

fills = Table(
    "fills",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("order_id", Uuid, ForeignKey("orders.id"), nullable=False),
    Column("bot_id", Uuid, ForeignKey("bots.id"), nullable=False),
    Column("round_trip_id", Uuid, ForeignKey("round_trips.id"), nullable=False),
    Column("ledger_entry_id", Uuid, ForeignKey("ledger_entries.id"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("venue_trade_id", Text, nullable=False),
    Column("instrument_id", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("price", Money, nullable=False),
    Column("notional", Money, nullable=False),
    Column("fee_amount", Money, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("liquidity", Text, nullable=False),
    Column("gross_quote", Money, nullable=False),
    Column("fees_quote", Money, nullable=False),
    Column("realized_zar", Money),
    Column("fees_zar", Money),
    Column("zar_rate", Rate),
    Column("zar_rate_source", Text),
    Column("zar_rate_at", Instant),
    Column("origin", Text, nullable=False),
    Column("executed_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # Two users of ours may be the two sides of one trade.
    UniqueConstraint("user_id", "platform", "account", "venue_trade_id"),
    Index(None, "order_id"),
    Index(None, "round_trip_id"),
    Index(None, "bot_id", "executed_at"),
    Index(None, "user_id", "executed_at"),
)

positions = Table(
    "positions",
    metadata,
    Column("bot_id", Uuid, ForeignKey("bots.id"), primary_key=True),
    _user_id(),
    Column("instrument_id", Text, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("cost", Money, nullable=False),
    Column("entry_fees", Money, nullable=False),
    Column("round_trip_id", Uuid),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("quantity >= 0", name="long_only"),
    Index(None, "user_id"),
)

round_trips = Table(
    "round_trips",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("bot_id", Uuid, ForeignKey("bots.id"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("instrument_id", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("quote_asset", Text, nullable=False),
    Column("entry_quantity", Money, nullable=False),
    Column("entry_notional", Money, nullable=False),
    Column("exit_quantity", Money, nullable=False),
    Column("exit_notional", Money, nullable=False),
    Column("gross_quote", Money, nullable=False),
    Column("fees_quote", Money, nullable=False),
    Column("profit_quote", Money, nullable=False),
    Column("gross_zar", Money),
    Column("fees_zar", Money),
    Column("profit_zar", Money),
    Column("zar_rate", Rate),
    Column("zar_rate_source", Text),
    Column("zar_rate_at", Instant),
    Column("zar_reason", Text),
    Column("exit_reason", Text),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    CheckConstraint("status in ('open', 'closed')", name="status"),
    # A bot is long or flat: it has at most one open round trip, and finding it must not read the rest.
    Index("uq_round_trips_open", "bot_id", unique=True, postgresql_where=text("status = 'open'")),
    # The lists, in both sort orders, over all of a user's bots and over one bot.
    Index("ix_round_trips_opened", "user_id", "opened_at", "id"),
    Index("ix_round_trips_closed", "user_id", "closed_at", "id", postgresql_where=text("status = 'closed'")),
    Index("ix_round_trips_bot_opened", "bot_id", "opened_at", "id"),
    Index("ix_round_trips_profit", "user_id", "profit_zar", "id", postgresql_where=text("status = 'closed'")),
    Index(
        "ix_round_trips_bot_profit",
        "bot_id",
        "profit_zar",
        "id",
        postgresql_where=text("status = 'closed'"),
    ),
    Index(
        "ix_round_trips_bot_closed",
        "bot_id",
        "closed_at",
        "id",
        postgresql_where=text("status = 'closed'"),
    ),
)

# -- ledger --------------------------------------------------------------------------------------

ledger_books = Table(
    "ledger_books",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("mode", Text, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("head_hash", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("user_id", "mode"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("book_id", Uuid, ForeignKey("ledger_books.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("reference", JSONB, nullable=False),
    Column("effective_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("book_id", "seq"),
    UniqueConstraint("book_id", "idempotency_key"),
    Index(None, "user_id", "id"),
)

ledger_postings = Table(
    "ledger_postings",
    metadata,
    Column("entry_id", Uuid, ForeignKey("ledger_entries.id"), primary_key=True),
    Column("line", SmallInteger, primary_key=True),
    _user_id(),
    Column("book_id", Uuid, nullable=False),
    Column("account", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Index(None, "book_id", "account", "entry_id"),
)

ledger_balances = Table(
    "ledger_balances",
    metadata,
    Column("book_id", Uuid, ForeignKey("ledger_books.id"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    _user_id(),
    Column("amount", Money, nullable=False),
    # L8: what a person or bot holds can never be negative.
    CheckConstraint("amount >= 0 or account not like 'holding:%'", name="non_negative"),
)

# -- figures -------------------------------------------------------------------------------------

#: Realised figures per user, bot, platform and pair; ``day`` is the user's local day, and the row
#: with day 0001-01-01 is the total of all days, so that a summary costs the same at any size.
rollups = Table(
    "rollups",
    metadata,
    _user_id(primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("scope_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("profit_zar", Money, nullable=False),
    # In the quote asset; only rows of a bot or a pair have one.
    Column("profit_quote", Money),
    Column("fees_zar", Money, nullable=False),
    Column("fills", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("wins", BigInteger, nullable=False),
    Column("losses", BigInteger, nullable=False),
    Column("unvalued_fills", BigInteger, nullable=False),
    CheckConstraint("scope in ('user', 'bot', 'platform', 'pair')", name="scope"),
    Index(
        "ix_rollups_totals",
        "user_id",
        "mode",
        "scope",
        postgresql_where=text("day = '0001-01-01'"),
    ),
)

equity_snapshots = Table(
    "equity_snapshots",
    metadata,
    _user_id(primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("scope_id", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("equity_zar", Money, nullable=False),
    Column("realized_zar", Money, nullable=False),
    Column("unrealized_zar", Money, nullable=False),
    Column("deposits_zar", Money, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _user_id(),
    Column("bot_id", Uuid),
    Column("type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
    Index(None, "user_id", "created_at"),
)

# -- events --------------------------------------------------------------------------------------

outbox_heads = Table(
    "outbox_heads",
    metadata,
    _user_id(primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    _user_id(primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("type", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("created_at", Instant, nullable=False),
)
