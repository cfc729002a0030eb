"""Plant known bugs into copies of the platform, one each, and let storms find them.

Each is a wrong behaviour that cost users of other platforms money, or the loss of one of our own promises,
as the smallest change of our code. A storm that finds none of them proves nothing.

Usage: python -m tools.planted [--only NAME] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amarktai.cli.frame import build_of

_SOURCE: Final = Path(__file__).parents[1] / "src" / "amarktai"
#: Storms that a bug may hide in before it counts as missed.
_SEEDS: Final = 6
_HOURS: Final = 3.0
_FORCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Bug:
    """``old`` is replaced by ``new`` in ``file``. ``where`` names it cost money, or what it breaks."""

    name: str
    where: str
    file: str
    old: str
    new: str


_ORDERS: Final = "services/orders.py"
_LIVE: Final = "services/live_accounts.py"
_RECONCILE: Final = "services/reconcile.py"
_LOST: Final = "            return [Verdict(order.id, OrderEvent.LOSE, silence.detail)]\n"
_LOST_CANCEL: Final = "            return [Verdict(order.id, OrderEvent.LOSE_CANCEL, silence.detail)]\n"

BUGS: Final = (
    Bug(
        "silence is a refusal", "hummingbot #493, #3374; nautilus #3870, #4958", _ORDERS, _LOST,
        "            return [Verdict(order.id, OrderEvent.REJECT, silence.detail)]\n",
    ),
    Bug(
        "silence is answered by sending again", "OctoBot; catalyst #317", _ORDERS, _LOST,
        "            return [await venue.create_order(request)]\n",
    ),
    Bug(
        "what was being sent at a crash is a refusal", "freqtrade: sent before it is written", _ORDERS,
        'take(OrderEvent.LOSE, "the engine stopped while sending")',
        'take(OrderEvent.REJECT, "the engine stopped while sending")',
    ),
    Bug(
        "absent once is never placed", "freqtrade: old orders are assumed canceled", _ORDERS,
        "        if item.deadline_at is None or now <= to_ns(item.deadline_at) + late_ns:\n",
        "        if item.deadline_at is None:\n",
    ),
    Bug(
        "no wait for what may still arrive", "ccxt #7411: live after the timeout", _ORDERS,
        "absence_proofs=2, proof_gap_s=4.0, late_arrival_s=15.0",
        "absence_proofs=1, proof_gap_s=0.0, late_arrival_s=0.0",
    ),
    Bug(
        "a lost cancel is a cancel", "nautilus #3879: synthetic cancels; OctoBot PR 471", _ORDERS,
        _LOST_CANCEL,
        "            return [Verdict(order.id, OrderEvent.LOSE_CANCEL, ''),"
        " Verdict(order.id, OrderEvent.CANCEL, silence.detail)]\n",
    ),
    Bug(
        "a lost cancel is forgotten", "hummingbot #7996: lost orders", _ORDERS, _LOST_CANCEL,
        "            return []\n",
    ),
    Bug(
        "no state takes a late fill", "nautilus: no way from REJECTED to FILLED", "domain/order.py",
        "    for state in (*LATE_FILL, _S.FILLED):\n        table[state, _E.REFUSE_FILL] = _S.RESURRECTED\n"
        "    for state in LATE_FILL:\n        table[state, _E.FILL] = _S.RESURRECTED\n"
        "        table[state, _E.FILL_ALL] = _S.FILLED\n",
        "",
    ),
    Bug(
        "fills of ended orders are dropped", "freqtrade #3647, #6907", _ORDERS,
        "        for told in report.fills:\n            key",
        "        for told in report.fills if move.order.state not in TERMINAL else ():\n            key",
    ),
    Bug(
        "the first fill counts, the others do not", "freqtrade #11461: partial fills", _ORDERS,
        "        for told in report.fills:\n            key",
        "        for told in report.fills[:1]:\n            key",
    ),
    Bug(
        "fills are booked again after a restart", "QuantDinger 232; nautilus #3046", _ORDERS,
        "            if key in known:\n                continue\n            known.add(key)\n",
        "            known.add(key)\n",
    ),
    Bug(
        "closed is complete, trades or not", "hummingbot: 'incomplete information'",
        "services/order_transitions.py",
        "        if missing or report.status is VenueStatus.FILLED:\n"
        "            self.take(OrderEvent.CLOSE_INCOMPLETE, report.reason)\n",
        "        if report.status is VenueStatus.FILLED:\n"
        "            self.take(OrderEvent.CANCEL, report.reason)\n",
    ),
    Bug(
        "entries before the first look", "nautilus #5000: dropped at startup", _LIVE,
        "replace(saved, condition=Condition.RECONCILING, detail=detail, changed_at=now)",
        "replace(saved, condition=Condition.ACTIVE, detail=detail, changed_at=now)",
    ),
    Bug(
        "a broken stream is no reason to look", "nautilus PR 4991", _LIVE,
        "                    await self.distrust(event.reason)\n", "                    pass\n",
    ),
    Bug(
        "what an account lacks is not compared", "freqtrade: within 2 %", _RECONCILE,
        "            if not amount:\n                continue\n",
        "            if amount <= 0:\n                continue\n            continue\n",
    ),
    Bug(
        "what differs is made to match", "nautilus #4736: synthetic fills", _LIVE,
        "        if findings.open_differences:\n", "        if False:\n",
    ),
    Bug(
        "a look that is of two moments", "freqtrade #9128: ghost positions", _RECONCILE,
        "        if _trade_ids(again) == _trade_ids(fills):\n", "        if True:\n",
    ),
    Bug(
        "a look does not book", "hummingbot #4738: an untracked fill", _RECONCILE,
        "    if stored is None:\n        return False\n", "    return False\n",
    ),
    Bug(
        "a trade by hand is nobody's", "hummingbot: balances drift", _RECONCILE,
        "            trades = self._hand_trades(by_hand, status.opened_at)\n", "            trades = []\n",
    ),
    Bug(
        "two engines at a time", "O2: fencing", _ORDERS,
        "        return book.fencing_token == self._lease.fencing_token\n", "        return True\n",
    ),
    Bug(
        "the stop file is not read", "O20", _ORDERS,
        "                self._stop_file.reason() if self._stop_file else None,\n", "                None,\n",
    ),
    Bug(
        "a clock that differs is fine", "O14", _LIVE,
        "        if offset is not None and abs(offset) > CLOCK_LIMIT_NS:\n", "        if False:\n",
    ),
    Bug(
        "answers are lost on the way", "hummingbot #2342", "services/arrivals.py",
        "        taken, self._waiting = self._waiting, {}\n",
        "        taken, self._waiting = dict(list(self._waiting.items())[:1]), {}\n"
        "        for answers in taken.values():\n            answers.verdicts.clear()\n",
    ),
    Bug(
        "a refusal is silence", "freqtrade #7586: retried for ever", _ORDERS,
        '            return [Verdict(order.id, OrderEvent.REJECT, f"{refusal.code}: {refusal.detail}")]\n',
        "            return []\n",
    ),
    Bug(
        "fees cost nothing", "freqtrade #4710", "services/orders.py",
        "            fill = as_booked(told, self._instruments[move.order.instrument_id])\n",
        "            fill = as_booked(told, self._instruments[move.order.instrument_id])\n"
        "            fill = replace(fill, fee_amount=ZERO)\n",
    ),
    Bug(
        "what a canceled order reserved stays reserved", "L9", "services/order_transitions.py",
        "        reserved = ZERO if terminal else", "        reserved = ZERO if False else",
    ),
    Bug(
        "the write-ahead comes after", "O1: freqtrade, hummingbot", _ORDERS,
        "            await unit.orders.insert(list(rows.values()))\n",
        "            if self._arrivals is not None:\n"
        "                for row in claimed:\n"
        "                    self._arrivals.carry(user_id, self._send_one(row))\n"
        "                await self._clock.sleep(1.0)\n"
        "            await unit.orders.insert(list(rows.values()))\n"
        "            claimed = []\n",
    ),
    Bug(
        "an expected book is not looked at", "two writers of one book", "storage/ledger.py",
        "        token = str(book.fencing_token)\n",
        "        token = str(book.fencing_token)\n        return\n",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """``seeds`` storms were needed; None when no storm of them found the bug. ``by`` says what did."""

    bug: Bug
    seeds: int | None
    by: str


def find(bug: Bug) -> Finding:
    """Let storms pass over a copy of the platform with the bug in it."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder) / "amarktai"
        shutil.copytree(_SOURCE, copy, ignore=shutil.ignore_patterns("ui", "__pycache__"))
        _plant(bug, copy)
        for seed in range(1, _SEEDS + 1):
            said = _storm(folder, seed)
            if said is not None:
                return Finding(bug, seed, said)
    return Finding(bug, None, "")


def _plant(bug: Bug, copy: Path) -> None:
    """Raises: ValueError when the place is not there exactly once: the list is out of date."""
    path = copy / bug.file
    text = path.read_text()
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: {bug.file} has its place {text.count(bug.old)} times")
    path.write_text(text.replace(bug.old, bug.new))


def storm_command(seed: int, hours: float, force: float = 1.0) -> list[str]:
    """Return the command line of one storm in a process of its own."""
    numbers = ("--seeds", str(seed), "--hours", str(hours), "--force", str(force))
    return [sys.executable, "-m", "amarktai", "storm", *numbers]


def _storm(folder: str, seed: int) -> str | None:
    """Return what broke in one storm; None when nothing did."""
    command = storm_command(seed, _HOURS, _FORCE)
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": folder}, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    return lines[0] if lines else (done.stderr.strip().splitlines() or ["it ended"])[-1]


def _facts(build: str, findings: Sequence[Finding]) -> dict[str, Any]:
    bugs = [
        {"name": each.bug.name, "where": each.bug.where, "seeds": each.seeds, "by": each.by}
        for each in findings
    ]
    return {"build": build, "bugs": bugs}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="part of a bug's name")
    parser.add_argument("--json", type=Path, help="write what was found there")
    options = parser.parse_args(arguments)
    bugs = [bug for bug in BUGS if options.only is None or options.only in bug.name]
    build, findings = build_of("planted"), list[Finding]()
    with ThreadPoolExecutor(2) as pool:
        for finding in pool.map(find, bugs):
            findings.append(finding)
            found = "MISSED" if finding.seeds is None else f"storm {finding.seeds}: {finding.by}"
            print(f"{finding.bug.name}: {found}", flush=True)
            if options.json:  # each time: a run that is stopped has found what it has found
                options.json.write_text(json.dumps(_facts(build, findings), indent=1) + "\n")
    caught = sum(finding.seeds is not None for finding in findings)
    print(f"planted {len(findings)}, caught {caught}")
    return 0 if caught == len(findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
