"""The mode's base: which book's entries may leave. Whatever was noted as live before did not trade."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("UPDATE system_mode SET mode = 'paper' WHERE mode <> 'paper'")
    op.add_column("system_mode", sa.Column("base", sa.Text(), server_default="paper", nullable=False))
    op.create_check_constraint(
        op.f("ck_system_mode_base"),
        "system_mode",
        "base in ('paper', 'live') and (mode = base or mode = 'autopilot')",
    )


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
