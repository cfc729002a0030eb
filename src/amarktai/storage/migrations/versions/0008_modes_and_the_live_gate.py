"""The mode's base, the reports of readiness that it needs to be live, and risk limits.

There is no 0007: a version of that number was taken back, and a database that has it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: Real money is let through by a report of the last minute in which every check is there and is met.
#: The program cannot get around this: its role does not own the table.
_GATE = """
CREATE FUNCTION guard_live_mode() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE report readiness_reports; lacking text;
BEGIN
  IF NEW.base <> 'live' THEN
    NEW.readiness_id := NULL;
    RETURN NEW;
  END IF;
  IF OLD.base = 'live' AND NEW.readiness_id IS NOT DISTINCT FROM OLD.readiness_id THEN
    RETURN NEW;
  END IF;
  SELECT * INTO report FROM readiness_reports WHERE id = NEW.readiness_id;
  IF NOT FOUND OR report.made_at NOT BETWEEN NEW.updated_at - interval '1 minute' AND NEW.updated_at THEN
    RAISE EXCEPTION 'live trading needs a readiness report of the last minute'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT needed INTO lacking FROM unnest(ARRAY[
    'server', 'realtime', 'database', 'processes', 'errors', 'faults', 'disk', 'clock', 'market', 'keys',
    'accounts', 'orders', 'profit', 'stop', 'limits', 'backup', 'rehearsal'
  ]) AS needed
  WHERE NOT EXISTS (
    SELECT FROM jsonb_array_elements(report.checks) AS met
    WHERE met ->> 'name' = needed AND met ->> 'status' = 'ok'
  ) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'live trading needs the readiness check %', lacking
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER live_gate BEFORE UPDATE ON system_mode FOR EACH ROW EXECUTE FUNCTION guard_live_mode();
REVOKE INSERT, DELETE ON system_mode FROM app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON readiness_reports
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON readiness_reports
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON readiness_reports TO app;
GRANT SELECT ON readiness_reports TO auditor;
"""
#: Each tenant sees everybody's limits beside their own.
_LIMITS = """
ALTER TABLE risk_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE risk_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON risk_limits
  USING (user_id IS NULL OR user_id = amarktai_tenant())
  WITH CHECK (user_id IS NULL OR user_id = amarktai_tenant());
CREATE POLICY auditor_reads ON risk_limits FOR SELECT TO auditor USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON risk_limits TO app;
GRANT SELECT ON risk_limits TO auditor;
"""


def upgrade() -> None:
    op.create_table(
        "readiness_reports",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("build", sa.Text(), nullable=False),
        sa.Column("checks", postgresql.JSONB(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readiness_reports")),
    )
    # Whatever was noted as live before did not trade.
    op.execute("UPDATE system_mode SET mode = 'paper' WHERE mode <> 'paper'")
    op.add_column("system_mode", sa.Column("base", sa.Text(), server_default="paper", nullable=False))
    op.add_column("system_mode", sa.Column("readiness_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_system_mode_readiness_id"), "system_mode", "readiness_reports", ["readiness_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_system_mode_base"),
        "system_mode",
        "base in ('paper', 'live') and (mode = base or mode = 'autopilot')",
    )
    op.create_table(
        "risk_limits",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("bot_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=38, scale=8), nullable=True),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.CheckConstraint("bot_id is null or user_id is not null", name=op.f("ck_risk_limits_scope")),
        sa.CheckConstraint("(amount is null) <> (names is null)", name=op.f("ck_risk_limits_value")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_risk_limits_amount")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_risk_limits_user_id")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_risk_limits_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_limits")),
    )
    op.create_index(
        "ix_risk_limits_one",
        "risk_limits",
        [
            sa.literal_column("coalesce(user_id, '00000000-0000-0000-0000-000000000000')"),
            sa.literal_column("coalesce(bot_id, '00000000-0000-0000-0000-000000000000')"),
            "kind",
        ],
        unique=True,
    )
    op.execute(_GATE)
    op.execute(_LIMITS)


def downgrade() -> None:
    raise NotImplementedError("the platform moves forward only; restore a backup instead")
