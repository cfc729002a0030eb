"""Emergency stops."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: Each tenant sees everybody's stops beside their own.
_GUARDS = """
ALTER TABLE emergency_stops ENABLE ROW LEVEL SECURITY;
ALTER TABLE emergency_stops FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON emergency_stops
  USING (user_id IS NULL OR user_id = amarktai_tenant())
  WITH CHECK (user_id IS NULL OR user_id = amarktai_tenant());
CREATE POLICY auditor_reads ON emergency_stops FOR SELECT TO auditor USING (true);
GRANT SELECT, INSERT, UPDATE ON emergency_stops TO app;
GRANT SELECT ON emergency_stops TO auditor;
"""


def upgrade() -> None:
    op.create_table(
        "emergency_stops",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("engaged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("engaged_by", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint("source in ('api', 'command', 'file')", name=op.f("ck_emergency_stops_source")),
        sa.CheckConstraint(
            "(released_at is null) = (released_by is null)", name=op.f("ck_emergency_stops_release")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_emergency_stops_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_stops")),
    )
    op.create_index(
        "ix_emergency_stops_on",
        "emergency_stops",
        [sa.literal_column("coalesce(user_id, '00000000-0000-0000-0000-000000000000')")],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.execute(_GUARDS)


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
