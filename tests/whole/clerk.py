"""The staff and the auditor in a process of their own: Django on the office's database, services and raw records."""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from whole.helpers import answer_lines, die_with_parent

Json = dict[str, Any]
_END_OF_HOLD = ("close", "withdraw", "return_to_queue")
_CHAIN = ("call", "bind_card", "end", "wipe_proven", "confirm", "close")
_SUPPORTER, _OFFICER = "honcho-1", "officer"


def _raw(token: str) -> str:
    """The message as it came, from behind its token."""
    from madoguchi.server.ledger import payloads

    kept = payloads.find(token)
    assert kept is not None
    return str(payloads.open_payload(kept)[1]["raw"])


class Clerk:
    """What the tests ask; every method answers plain JSON."""

    def prepare(self, *, password: str, start_url: str, logout_url: str, allowed: list[str]) -> str:
        """Make database and city; the account registration opens at the given address."""
        from madoguchi.server.counters.seed import ACCOUNT, Addresses, seed_training_city
        from madoguchi.server.prepare import prepare

        prepare()
        addresses = {ACCOUNT: Addresses(start_url, logout_url, tuple(allowed))}
        seed_training_city(addresses=addresses, password=password, payment_until=None)
        return ACCOUNT

    def terminal(self) -> str:
        """A new terminal of the first site."""
        from madoguchi.server.counters.models import Site, Terminal

        site = Site.objects.get(slug="honcho")
        return str(Terminal.objects.create(site=site, name=f"試験{uuid.uuid4().hex[:8]}").pk)

    def code(self, *, terminal: str) -> str:
        """An enrolment code for it."""
        from madoguchi.server.counters import devices
        from madoguchi.server.counters.models import Terminal

        chosen = Terminal.objects.get(pk=terminal)
        return devices.issue_code(terminal=chosen, staff=_staff(_OFFICER), old_machine_off=True)

    def expire(self, *, terminal: str) -> int:
        """Let the terminal's unused codes run out now."""
        from madoguchi.server import clock
        from madoguchi.server.counters.models import EnrolmentCode

        past = clock.now() - timedelta(seconds=1)
        return EnrolmentCode.objects.filter(terminal_id=terminal, used_at__isnull=True).update(expires_at=past)

    def issue(self, *, procedure: str) -> Json:
        """A ticket."""
        from madoguchi.server.counters.models import ProcedureKind, Site
        from madoguchi.server.visits import services

        visit = services.issue_ticket(
            site=Site.objects.get(slug="honcho"),
            procedure=ProcedureKind.objects.get(code=procedure),
            preflight={"answers": {}},
            staff=_staff(_SUPPORTER),
        )
        return {"visit": str(visit.pk), "ticket": visit.ticket}

    def call(self, *, visit: str, terminal: str) -> int | None:
        """Call the ticket; the lease."""
        from madoguchi.server.counters.models import Terminal
        from madoguchi.server.visits import services
        from madoguchi.server.visits.models import Visit

        chosen = Terminal.objects.get(pk=terminal)
        return services.call(visit=Visit.objects.get(pk=visit), terminal=chosen, staff=_staff(_SUPPORTER)).lease

    def ask_end(self, *, visit: str) -> None:
        """Ask the terminal to end."""
        from madoguchi.server.visits import services
        from madoguchi.server.visits.models import Visit

        services.ask_end(visit=Visit.objects.get(pk=visit), staff=_staff(_SUPPORTER), reason="試験")

    def visit(self, *, visit: str) -> Json:
        """One visit's row."""
        from madoguchi.server.visits.models import Visit

        names = ("state", "lease", "cause", "proof", "confirmation", "outcome", "reason", "card_tag", "end_asked")
        return dict(Visit.objects.values(*names).get(pk=visit))

    def seat(self, *, terminal: str) -> Json:
        """The terminal's row, and the visit that holds it."""
        from madoguchi.server.counters.models import Terminal
        from madoguchi.server.visits.selectors import open_visit

        row = Terminal.objects.get(pk=terminal)
        held = open_visit(row)
        return {
            "state": row.state,
            "lease": row.lease,
            "quarantined": row.quarantined,
            "clock_skew": row.clock_skew,
            "held": str(held.pk) if held else None,
        }

    def rejected(self, *, terminal: str) -> list[Json]:
        """Messages that changed nothing."""
        from madoguchi.server.visits.models import RejectedMessage

        rows = RejectedMessage.objects.filter(terminal_id=terminal).order_by("pk")
        return [dict(row) | {"raw": _raw(row["raw"])} for row in rows.values("reason", "sentence", "raw")]

    def messages(self, *, terminal: str) -> int:
        """How many different messages of the terminal's machine were kept."""
        from madoguchi.server.visits.models import VisitEvent

        return VisitEvent.objects.filter(terminal_id=terminal, message__isnull=False).count()

    def kinds(self, *, visit: str) -> list[str]:
        """The visit's record, in order."""
        from madoguchi.server.visits.models import VisitEvent

        return list(VisitEvent.objects.filter(visit_id=visit).order_by("seq").values_list("kind", flat=True))

    def audit(self, *, terminal: str) -> Json:
        """Everything that is wrong with the terminal's records (I1, I4, I5, I6), and how much was looked at."""
        from madoguchi.server.visits.models import Visit, VisitEvent

        visits = list(Visit.objects.filter(terminal_id=terminal).order_by("lease"))
        events = list(VisitEvent.objects.filter(terminal_id=terminal).select_related("device", "staff").order_by("pk"))
        faults = [*_open_faults(visits), *_hold_faults(events), *_number_faults(events), *_signature_faults(events)]
        for visit in visits:
            faults += _visit_faults(visit)
        states = Counter(visit.state for visit in visits)
        return {"faults": faults, "visits": dict(states), "events": len(events)}


def _staff(username: str) -> Any:
    from madoguchi.server.accounts.models import Staff

    return Staff.objects.get(username=username)


def _open_faults(visits: Iterable[Any]) -> list[str]:
    held = [str(visit) for visit in visits if visit.is_open]
    return [f"open at once: {held}"] if len(held) > 1 else []


def _hold_faults(events: Iterable[Any]) -> list[str]:
    """No second call before the first visit's end, and no close without the proof before it."""
    faults: list[str] = []
    holder, proven = None, False
    for event in events:
        if event.kind == "call":
            faults += [f"{event.visit_id} called while {holder} holds the terminal"] if holder else []
            holder, proven = event.visit_id, False
        elif event.kind == "wipe_failed":
            proven = False
        elif event.kind == "wipe_proven" and event.visit_id == holder:
            proven = True
        elif event.kind in _END_OF_HOLD:
            faults += [f"{event.visit_id} closed without a proof"] if event.kind == "close" and not proven else []
            holder = None
    return faults


def _number_faults(events: Iterable[Any]) -> list[str]:
    """Nothing lost, nothing doubled: each device's messages are 1, 2, 3 … in the order they came."""
    numbers: dict[int, list[int]] = {}
    faults = [f"{event.kind}: {event.body}" for event in events if event.kind.startswith("sequence_")]
    for event in events:
        if event.message is not None:
            numbers.setdefault(event.device_id, []).append(event.message["seq"])
    for device, given in numbers.items():
        if given != list(range(1, len(given) + 1)):
            faults.append(f"device {device}: numbers {given}")
    return faults


def _signature_faults(events: Iterable[Any]) -> list[str]:
    from django.conf import settings

    from madoguchi.evidence import envelope
    from madoguchi.evidence.keys import public_from_text
    from madoguchi.server import keys
    from madoguchi.server.visits.record import content

    server = keys.signing_key(settings.SERVER_KEY_FILE).public_key()
    for event in events:
        if event.message is None:
            envelope.verify(content(event), event.signature, server)
        else:
            envelope.verify(event.message, event.signature, public_from_text(event.device.public_key))
    return []


def _visit_faults(visit: Any) -> list[str]:
    """A closed visit has its chain (I5); one that ended before its card was bound has no `bind_card`."""
    if visit.state != "closed":
        return []
    kinds = [event.kind for event in visit.events.order_by("seq") if event.lease in (None, visit.lease)]
    wanted = [kind for kind in _CHAIN if kind != "bind_card" or visit.card_tag]
    first = [kinds.index(kind) if kind in kinds else -1 for kind in wanted]
    faults = [] if -1 not in first and first == sorted(first) else [f"{visit}: chain is {kinds}"]
    faults += [f"{visit}: {kind} twice" for kind in ("bind_card", "confirm", "close") if kinds.count(kind) > 1]
    faults += [] if visit.proof and visit.confirmation and visit.outcome else [f"{visit}: closed without proof"]
    return faults


def main() -> None:
    """Answer until standard input ends."""
    die_with_parent()
    from madoguchi.server.prepare import setup

    setup()
    answer_lines(Clerk())


if __name__ == "__main__":
    main()
