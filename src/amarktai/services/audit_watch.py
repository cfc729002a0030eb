"""The audit that runs by itself: does every figure still follow from the fills?"""

from __future__ import annotations

import structlog

from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.readiness import AUDIT_NOTE, ReadinessStore
from amarktai.services.alerts import Notices
from amarktai.services.ledger_audit import AuditReport, LedgerAudit

log = structlog.get_logger(__name__)


class AuditWatch:
    """Audits everybody's books, notes the result for the live gate, and tells of a difference."""

    def __init__(self, audit: LedgerAudit, notes: ReadinessStore, notices: Notices, clock: Clock) -> None:
        self._audit = audit
        self._notes = notes
        self._notices = notices
        self._clock = clock
        self._told: str | None = None

    async def run_round(self) -> AuditReport:
        """Audit once. Each new difference is an alert to the admins."""
        report = await self._audit.audit()
        at = to_datetime(self._clock.now_ns())
        facts = {"checked_at": at.isoformat(), "first_difference": report.first_difference}
        await self._notes.put_note(AUDIT_NOTE, facts, at)
        if report.first_difference is not None and report.first_difference != self._told:
            log.error("a figure does not follow from the fills", difference=report.first_difference)
            message = f"A figure does not follow from the fills: {report.first_difference}."
            await self._notices.alert_admins("audit_difference", "critical", message)
        self._told = report.first_difference
        return report
