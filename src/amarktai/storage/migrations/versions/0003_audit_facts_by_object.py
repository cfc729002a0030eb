"""An object's audit facts are found without reading the whole log."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_audit_log_object_type_object_id_seq"), "audit_log", ["object_type", "object_id", "seq"]
    )


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
