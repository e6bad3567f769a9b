"""The counter's office in a replay: the real server code on a database of its own, on the replay's time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from madoguchi.protocol import InterruptReason, Outcome, Role, VisitState
from madoguchi.replay.clock import ReplayClock
from madoguchi.server.prepare import prepare

if TYPE_CHECKING:
    from madoguchi.server.accounts.models import Staff
    from madoguchi.server.counters.models import Terminal
    from madoguchi.server.counters.seed import Addresses
    from madoguchi.server.visits.models import Visit

SERVER = "http://localhost"
_ABSENT = "再現: 本人は席を離れていた。画面がロックされていることを係員が見た。"


class Office:
    """Reception and staff of the training city, acting through the server's own services."""

    def __init__(self, addresses: "dict[str, Addresses]") -> None:
        from madoguchi.server.accounts.models import Staff
        from madoguchi.server.counters.seed import seed_training_city
        from madoguchi.server.wsgi import application

        seed_training_city(addresses=addresses)
        self._supporter = Staff.objects.filter(role=Role.CONTRACTOR_MANAGER.value).first()
        self._officer = Staff.objects.filter(role=Role.CITY_OFFICER.value).first()
        self.transport = httpx.WSGITransport(app=cast(Any, application))

    def terminal(self, name: str) -> "Terminal":
        """A terminal by the name that scenarios use (site and seat)."""
        from madoguchi.server.counters.models import Terminal

        return next(terminal for terminal in Terminal.objects.select_related("site") if str(terminal) == name)

    def enrolment_code(self, terminal: "Terminal") -> str:
        """A one-time code for a terminal."""
        from madoguchi.server.counters import devices

        return devices.issue_code(terminal=terminal, staff=self._person(self._officer))

    def issue(self, terminal: "Terminal", procedure: str) -> "Visit":
        """Give out a ticket."""
        from madoguchi.server.counters.models import ProcedureKind
        from madoguchi.server.visits import services

        kind = ProcedureKind.objects.get(code=procedure)
        staff = self._person(self._supporter)
        return services.issue_ticket(site=terminal.site, procedure=kind, preflight={"brought": True}, staff=staff)

    def call(self, visit: "Visit", terminal: "Terminal") -> None:
        """Call the ticket. Raises the gate's refusals."""
        from madoguchi.server.visits import services

        services.call(visit=visit, terminal=terminal, staff=self._person(self._supporter))

    def standing(self, terminal: "Terminal") -> "Visit | None":
        """The visit that still holds the terminal."""
        from madoguchi.server.visits.selectors import open_visit

        return open_visit(terminal)

    def confirm_absent(self, visit: "Visit") -> None:
        """Staff look at the locked screen and record that the citizen has left. Closes the visit."""
        from madoguchi.server.visits import services

        services.confirm_absent(
            visit=visit,
            staff=self._person(self._supporter),
            why=_ABSENT,
            outcome=Outcome.ABANDONED,
            reason=InterruptReason.LEFT_SEAT,
        )

    def state(self, visit: "Visit") -> tuple[VisitState, str]:
        """The visit's state and the cause of its end, if any."""
        visit.refresh_from_db()
        return VisitState(visit.state), str(visit.cause or "")

    @staticmethod
    def _person(staff: "Staff | None") -> "Staff":
        if staff is None:
            raise LookupError("the training city has no such login")
        return staff


@contextmanager
def office_ground(clock: ReplayClock) -> Iterator[Path]:
    """A state folder and a prepared database that go away again; the server's clock is the replay's.

    `MADOGUCHI_REPLAY_DATABASE_URL` names an empty database to use instead of SQLite in the folder.
    """
    with tempfile.TemporaryDirectory(prefix="madoguchi-replay-") as name:
        folder = Path(name)
        os.environ["MADOGUCHI_STATE"] = str(folder)
        os.environ["MADOGUCHI_INTEGRATE"] = "false"
        os.environ["MADOGUCHI_DATABASE_URL"] = os.environ.get("MADOGUCHI_REPLAY_DATABASE_URL", "")
        prepare()
        from django.db import connections

        from madoguchi.server import clock as server_clock

        try:
            with server_clock.running_on(clock.now):
                yield folder
        finally:
            connections.close_all()
