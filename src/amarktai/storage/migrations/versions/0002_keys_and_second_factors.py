"""Keys of providers, accounts that can be halted, second factors."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: Tenancy and grants of the new tables. The auditor reads that there is a key, never its ciphertext.
_GUARDS = """
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['api_keys', 'venue_accounts', 'totp_factors', 'recovery_codes'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY tenant ON %I USING (user_id = amarktai_tenant()) WITH CHECK (user_id = amarktai_tenant())',
      name);
    EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO auditor USING (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO app', name);
  END LOOP;
END $$;
GRANT SELECT (user_id, provider, version, kek_id, hint, fingerprint, created_at, updated_at, last_tested_at,
              last_outcome, last_test) ON api_keys TO auditor;
GRANT SELECT ON venue_accounts TO auditor;
GRANT SELECT (user_id, version, kek_id, created_at, confirmed_at, last_step) ON totp_factors TO auditor;
GRANT SELECT (user_id, created_at, used_at) ON recovery_codes TO auditor;
GRANT SELECT (stepped_up_at) ON sessions TO auditor;
"""


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("version", sa.UUID(), nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("last_test", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "last_outcome in ('works', 'refused', 'unsafe', 'unreachable')",
            name=op.f("ck_api_keys_last_outcome"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("user_id", "provider", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "totp_factors",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.UUID(), nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_totp_factors_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp_factors")),
    )
    op.create_table(
        "venue_accounts",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('active', 'halted')", name=op.f("ck_venue_accounts_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_venue_accounts_user_id")),
        sa.PrimaryKeyConstraint("user_id", "platform", name=op.f("pk_venue_accounts")),
    )
    op.add_column("sessions", sa.Column("stepped_up_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_GUARDS)


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
