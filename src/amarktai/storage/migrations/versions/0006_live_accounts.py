"""Live accounts: their condition, tie-outs, differences and orders by hand; two users may share a trade."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_TABLES = ("account_status", "tie_outs", "differences", "external_orders", "order_resolutions")
_GUARDS = """
ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {name} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {name} USING (user_id = amarktai_tenant()) WITH CHECK (user_id = amarktai_tenant());
CREATE POLICY auditor_reads ON {name} FOR SELECT TO auditor USING (true);
GRANT SELECT, INSERT, UPDATE ON {name} TO app;
GRANT SELECT ON {name} TO auditor;
"""


def upgrade() -> None:
    op.create_table(
        "account_status",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watermark_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("orders", sa.Integer(), nullable=True),
        sa.Column("fills", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "condition in ('active', 'reconciling', 'degraded', 'unexplained', 'closed')",
            name=op.f("ck_account_status_condition"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_account_status_user_id")),
        sa.PrimaryKeyConstraint("user_id", "platform", name=op.f("pk_account_status")),
    )
    op.create_table(
        "differences",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=38, scale=8), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explained_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cause in ('deposit', 'withdrawal', 'fee', 'reward', 'other')", name=op.f("ck_differences_cause")
        ),
        sa.CheckConstraint(
            "(explained_at is null) = (cause is null) and (explained_at is null) = (explained_by is null)",
            name=op.f("ck_differences_explained"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_differences_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
    )
    op.create_index(
        "ix_differences_open",
        "differences",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("explained_at IS NULL"),
    )
    op.create_table(
        "external_orders",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("venue_order_id", sa.Text(), nullable=False),
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=38, scale=18), nullable=False),
        sa.Column("price", sa.Numeric(precision=38, scale=18), nullable=True),
        sa.Column("stop_price", sa.Numeric(precision=38, scale=18), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("filled_quantity", sa.Numeric(precision=38, scale=18), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('open', 'filled', 'canceled', 'expired', 'over')",
            name=op.f("ck_external_orders_status"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_external_orders_user_id")),
        sa.PrimaryKeyConstraint("user_id", "platform", "venue_order_id", name=op.f("pk_external_orders")),
    )
    op.create_table(
        "tie_outs",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("venue_total", sa.Numeric(precision=38, scale=18), nullable=False),
        sa.Column("ledger_total", sa.Numeric(precision=38, scale=8), nullable=False),
        sa.Column("rounded", sa.Numeric(precision=38, scale=18), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tie_outs_user_id")),
        sa.PrimaryKeyConstraint("user_id", "platform", "asset", "day", name=op.f("pk_tie_outs")),
    )
    op.drop_constraint(op.f("uq_fills_platform_account_venue_trade_id"), "fills", type_="unique")
    op.create_unique_constraint(
        op.f("uq_fills_user_id_platform_account_venue_trade_id"),
        "fills",
        ["user_id", "platform", "account", "venue_trade_id"],
    )
    op.create_index(
        op.f("ix_orders_user_id_platform_venue_order_id"),
        "orders",
        ["user_id", "platform", "venue_order_id"],
        unique=False,
    )
    op.create_table(
        "order_resolutions",
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_resolutions_order_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_order_resolutions_user_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_resolutions")),
    )
    for name in _TABLES:
        op.execute(_GUARDS.format(name=name))


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
