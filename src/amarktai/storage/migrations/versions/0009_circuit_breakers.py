"""Circuit breakers: limits that were reached, and who reset them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NOBODY = "'00000000-0000-0000-0000-000000000000'"
#: Each tenant sees everybody's beside their own. A trip is never taken away, only reset.
_GUARDS = """
ALTER TABLE circuit_breakers ENABLE ROW LEVEL SECURITY;
ALTER TABLE circuit_breakers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON circuit_breakers
  USING (user_id IS NULL OR user_id = amarktai_tenant())
  WITH CHECK (user_id IS NULL OR user_id = amarktai_tenant());
CREATE POLICY auditor_reads ON circuit_breakers FOR SELECT TO auditor USING (true);
GRANT SELECT, INSERT, UPDATE ON circuit_breakers TO app;
GRANT SELECT ON circuit_breakers TO auditor;
"""


def upgrade() -> None:
    op.create_table(
        "circuit_breakers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("bot_id", sa.UUID(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Numeric(precision=38, scale=8), nullable=False),
        sa.Column("figure", sa.Numeric(precision=38, scale=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tripped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resets_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reset_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reset_by", sa.Text(), nullable=True),
        sa.Column("reset_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("bot_id is null or user_id is not null", name=op.f("ck_circuit_breakers_scope")),
        sa.CheckConstraint("mode in ('paper', 'live')", name=op.f("ck_circuit_breakers_mode")),
        sa.CheckConstraint(
            "num_nulls(reset_at, reset_by, reset_reason) in (0, 3)", name=op.f("ck_circuit_breakers_reset")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_circuit_breakers_user_id")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_circuit_breakers_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circuit_breakers")),
    )
    op.create_index(
        "ix_circuit_breakers_tripped",
        "circuit_breakers",
        [
            sa.literal_column(f"coalesce(user_id, {_NOBODY})"),
            sa.literal_column(f"coalesce(bot_id, {_NOBODY})"),
            "mode",
            "kind",
        ],
        unique=True,
        postgresql_where=sa.text("reset_at IS NULL"),
    )
    op.create_index("ix_circuit_breakers_tripped_at", "circuit_breakers", ["tripped_at", "id"])
    op.create_index(
        "ix_circuit_breakers_untold", "circuit_breakers", ["id"], postgresql_where=sa.text("told_at IS NULL")
    )
    op.execute(_GUARDS)


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
