"""Makes the city, and says at the end whether the log, the journals and what was acknowledged agree."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from whole.helpers import answer_lines, die_with_parent

Json = dict[str, Any]


class Auditor:
    """Every method answers plain JSON."""

    def prepare(self, *, terminals: int) -> list[str]:
        """Database and city; enrolment codes for so many terminals."""
        from madoguchi.server.accounts.models import Staff
        from madoguchi.server.counters import devices
        from madoguchi.server.counters.models import Site, Terminal
        from madoguchi.server.counters.seed import seed_training_city
        from madoguchi.server.prepare import prepare

        prepare()
        seed_training_city(password="counter-practice-1", payment_until=None)
        site, officer = Site.objects.get(slug="honcho"), Staff.objects.get(username="officer")
        made = [Terminal.objects.create(site=site, name=f"試験{number}") for number in range(terminals)]
        return [devices.issue_code(terminal=terminal, staff=officer, old_machine_off=True) for terminal in made]

    def result(self, *, folder: str) -> Json:
        """What is wrong, and how much was looked at. Everything waits no more."""
        from madoguchi.server.ledger import audit, integrator
        from madoguchi.server.visits.models import RejectedMessage

        newest = integrator.settle()
        found = audit.audit()
        faults = [f"{one.code} {one.place}" for one in found.found]
        faults += [f"{found.waiting} entries without a place"] if found.waiting else []
        faults += [f"rejected: {row.reason}" for row in RejectedMessage.objects.all()]
        logged = _logged()
        for place in sorted(Path(folder).glob("terminal-*")):
            faults += _faults_of(place, logged)
        return {
            "faults": faults,
            "entries": newest.size,
            "messages": sum(logged.values()),
            "checkpoints": found.checkpoints,
        }


def _logged() -> Counter[tuple[str, int, str]]:
    """(terminal, number, id) of every device's message in the log, by how often it is there."""
    from madoguchi.evidence import leaf
    from madoguchi.server.ledger import log

    said = (leaf.read(raw).statement for _, raw in log.entries())
    return Counter((one["terminal"], one["seq"], one["id"]) for one in said if "id" in one)


def _faults_of(place: Path, logged: Counter[tuple[str, int, str]]) -> list[str]:
    """One terminal: told and kept agree, each message is in the log once, numbers have no gap."""
    from madoguchi.terminal.enrol import DeviceFile

    terminal = DeviceFile(place / "device.json").load().terminal
    with closing(sqlite3.connect(place / "journal.sqlite3")) as db:
        (numbered,) = db.execute("SELECT value FROM counters WHERE name = 'seq'").fetchone()
        (waiting,) = db.execute("SELECT count(*) FROM outbox").fetchone()
        incidents = db.execute("SELECT code, detail FROM incident_log").fetchall()
    mine = {(number, ident): count for (where, number, ident), count in logged.items() if where == terminal}
    numbers, idents = sorted(number for number, _ in mine), {ident for _, ident in mine}
    faults = [f"{place.name}: incident {code} {detail}" for code, detail in incidents]
    faults += [f"{place.name}: {waiting} wait"] if waiting else []
    faults += [f"{place.name}: in the log twice: {key}" for key, count in mine.items() if count != 1]
    faults += [] if numbers == list(range(1, numbered + 1)) else [f"{place.name}: numbers {numbers} of {numbered}"]
    for file in ("made", "acknowledged"):
        told = set((place / file).read_text().split())
        faults += [f"{place.name}: {file} and lost: {ident}" for ident in told - idents]
    faults += [f"{place.name}: refused {line}" for line in (place / "refused").read_text().splitlines()]
    return faults


def main() -> None:
    """Answer until standard input ends."""
    die_with_parent()
    from madoguchi.server.prepare import setup

    setup()
    answer_lines(Auditor())


if __name__ == "__main__":
    main()
