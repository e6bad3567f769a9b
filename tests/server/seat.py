"""A terminal as the server sees it: it speaks the device API with a key of its own; every fault is an argument away."""

import uuid
from collections.abc import Callable
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from madoguchi.evidence import envelope, sealed
from madoguchi.evidence.keys import public_text
from madoguchi.protocol import EventKind, Message, TerminalState
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import ProcedureKind, Terminal
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit

TAG = "ab" * 32
DRAWING = {"strokes": [[[1, 2, 0], [3, 4, 16]]], "width": 600, "height": 200}
Json = dict[str, Any]
People = Callable[[str], Staff]
"""A fixture's answer: the member of staff with a username."""

Enter = Callable[[str], Client]
"""A fixture's answer: a browser in which that person is logged in."""


class Seat:
    """A terminal with an honest device; use the arguments to make it dishonest or broken."""

    def __init__(self, terminal: Terminal, client: Client) -> None:
        self.terminal = terminal
        self.key = Ed25519PrivateKey.generate()
        self.token = ""
        self.seq = 0
        self.held: Json | None = None
        self._client = client

    def post(self, path: str, data: object, token: str | None = None) -> tuple[int, Json]:
        """One call of the device API: status and JSON answer."""
        headers = {"Authorization": f"Device {self.token if token is None else token}".strip()}
        answer = self._client.post(f"/api/device/{path}", data, content_type="application/json", headers=headers)
        return answer.status_code, cast(Json, answer.json())

    def enrol(self, code: str | None = None) -> None:
        """Enrol with `code`, or with one that the officer issues now."""
        officer = Staff.objects.get(username="officer")
        code = code or devices.issue_code(terminal=self.terminal, staff=officer, old_machine_off=True)
        status, answer = self.post("enrol", {"code": code, "public_key": public_text(self.key)})
        assert status == 200, answer
        self.token = answer["token"]
        self.seq = 0

    def poll(self, state: TerminalState = TerminalState.LOCKED, **changes: Any) -> Json:
        """Say what the terminal is doing; remember what the server holds for it."""
        word = {
            "state": state.value,
            "visit": None,
            "lease": None,
            "clock": clock.now().isoformat(),
            "training": False,
            "version": "test",
        }
        status, answer = self.post("poll", word | changes)
        assert status == 200, answer
        self.held = answer["assignment"]
        return answer

    def message(self, kind: EventKind, body: Json | None = None, payload: Json | None = None, **changes: Any) -> Json:
        """A signed message about the visit that the server holds, with the next number."""
        self.seq += 1
        held = self.held or {"visit": None, "lease": None}
        fields: Json = {
            "id": str(uuid.uuid4()),
            "terminal": str(self.terminal.pk),
            "seq": self.seq,
            "kind": kind,
            "at": clock.now().isoformat(),
            "visit": held["visit"],
            "lease": held["lease"],
            "training": False,
            "body": body or {},
        }
        message = Message(**(fields | changes)).to_json()
        return {"message": message, "signature": envelope.sign(message, self.key), "payload": payload}

    def send(self, *envelopes: Json) -> list[Json]:
        """The verdicts."""
        status, answer = self.post("messages", {"messages": list(envelopes)})
        assert status == 200, answer
        return cast(list[Json], answer["verdicts"])

    def report(self, kind: EventKind, body: Json | None = None, payload: Json | None = None, **changes: Any) -> Json:
        """Send one message and return its verdict."""
        return self.send(self.message(kind, body, payload, **changes))[0]

    def bind(self, tag: str = TAG) -> Json:
        """Report the card."""
        return self.report(EventKind.BIND_CARD, {"card_tag": tag})

    def end(self, cause: str = "finish") -> Json:
        """Report the end."""
        return self.report(EventKind.END, {"cause": cause})

    def wipe(self) -> Json:
        """Report the proof."""
        return self.report(EventKind.WIPE_PROVEN, {"proof": {"space": "unmounted"}})

    def sign(self, outcome: str = "completed", reason: str | None = None, *, own_name: str = "own") -> Json:
        """Report the citizen's signature."""
        salt = sealed.new_salt()
        body: Json = {
            "confirmation": {"kind": "signature", "commitment": sealed.commit(salt, DRAWING), "own_name": own_name},
            "outcome": outcome,
        }
        if reason:
            body["reason"] = reason
        return self.report(EventKind.CONFIRM, body, {"salt": salt, "payload": DRAWING})


def serve(seat: Seat, visit: Visit, staff: Staff) -> None:
    """Call the visit to the seat and bind a card."""
    seat.poll()
    services.call(visit=visit, terminal=seat.terminal, staff=staff)
    seat.poll()
    assert seat.bind()["verdict"] == "accepted"


def ticket(seat: Seat, staff: Staff) -> Visit:
    """A ticket at the seat's site for the account registration."""
    procedure = ProcedureKind.objects.get(code="public_money_account")
    return services.issue_ticket(
        site=seat.terminal.site, procedure=procedure, preflight={"pin_known": "yes"}, staff=staff
    )


def text(answer: Any) -> str:
    """The page of an answer."""
    return str(answer.content.decode())


def state(visit: Visit) -> str:
    """The state that the database has now."""
    visit.refresh_from_db()
    return visit.state
