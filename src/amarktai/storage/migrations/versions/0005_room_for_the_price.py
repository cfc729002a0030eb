"""How much room a market buy leaves for the price differs by exchange: OVEX's spread lies inside it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "instruments",
        sa.Column(
            "cushion", sa.Numeric(precision=38, scale=18), server_default=sa.text("0.005"), nullable=False
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
