"""What the core's tests run against: boxes in memory, a clock they move, an office that runs the real table."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from madoguchi.card import MemoryReader
from madoguchi.evidence.envelope import public_from_text, public_text, verify
from madoguchi.evidence.sealed import check_commitment
from madoguchi.protocol import (
    Assignment,
    Event,
    EventKind,
    Message,
    Procedure,
    ProtocolError,
    Role,
    Visit,
    VisitState,
    step,
)
from madoguchi.protocol.states import OCCUPYING
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, LOGOUT_VISITED, SPACE_NONE, Screen, WipeProof

START = datetime(2022, 8, 17, 10, 0, tzinfo=UTC)
PROCEDURE = Procedure(
    code="payment_service",
    label="キャッシュレス決済サービスの申込(架空)",
    start_url="http://points.test/",
    logout_url="http://points.test/logout",
    allowed=("http://points.test",),
)


class SimClock:
    """Stands still until told to move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds) + self.offset

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class TagCard:
    """A card of which only the tag matters."""

    tag: str

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:  # noqa: ARG002
        return b"", 0x9000

    def power_off(self) -> None:
        return None


CARD_A = TagCard("a" * 64)
CARD_B = TagCard("b" * 64)


def tag_reading(reader: MemoryReader) -> Callable[[], str]:
    """Reads the tag as the real function does: connecting, with everything that can go wrong then."""

    def read() -> str:
        with reader.connect():
            card = reader.card
            assert isinstance(card, TagCard)
            return card.tag

    return read


@dataclass
class MemoryScreen:
    """A screen of one colour; keeps what reached it."""

    size: tuple[int, int] = (1024, 768)
    got: list[tuple[Any, ...]] = field(default_factory=list)

    def frame(self) -> bytes | None:
        return base64.b64decode(_JPEG)

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.got.append(("click", x, y, button))

    def scroll(self, x: int, y: int, steps: int) -> None:
        self.got.append(("scroll", x, y, steps))

    def key(self, name: str) -> None:
        self.got.append(("key", name))

    def text(self, text: str) -> None:
        self.got.append(("text", text))


class InMemoryBox:
    """A box that can be looked into."""

    def __init__(self, boxes: "InMemoryBoxes", assignment: Assignment, on_death: Callable[[str], None]) -> None:
        self._boxes = boxes
        self.assignment = assignment
        self.die = on_death
        self.curtains: list[bool] = []
        self.alive = True
        self.notices: list[str] = []
        self.idle: float | None = None
        self.visited: list[str] = []
        self.screen: Screen | None = MemoryScreen() if boxes.relay else None

    def curtain(self, down: bool) -> None:
        self._boxes.fail_if("curtain")
        assert self.alive
        self.curtains.append(down)

    @property
    def covered(self) -> bool:
        return bool(self.curtains) and self.curtains[-1]

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def idle_for(self) -> float | None:
        self._boxes.fail_if("idle_for")
        return self.idle

    def logout(self, url: str) -> str:
        self._boxes.fail_if("logout")
        self.visited.append(url)
        return LOGOUT_VISITED

    def destroy(self) -> WipeProof:
        self._boxes.fail_if("destroy")
        self.alive = False
        self._boxes.destroyed += 1
        return self._boxes.proof()


class InMemoryBoxes:
    """Keeps every box ever opened: `alive` is the truth that invariants are checked against.

    `failing` maps a method's name to the error that its next call raises.
    """

    def __init__(self, *, training: bool = False, relay: bool = False) -> None:
        self.training = training
        self.relay = relay
        self.lacks: tuple[str, ...] = ()
        self.opened: list[InMemoryBox] = []
        self.destroyed = 0
        self.sweeps = 0
        self.failing: dict[str, BaseException] = {}

    @property
    def alive(self) -> list[InMemoryBox]:
        return [box for box in self.opened if box.alive]

    def missing(self) -> tuple[str, ...]:
        return self.lacks

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> InMemoryBox:
        self.fail_if("open")
        if self.lacks and not self.training:
            raise BoxUnavailable(*self.lacks)
        box = InMemoryBox(self, assignment, on_death)
        self.opened.append(box)
        return box

    def sweep(self) -> WipeProof:
        self.fail_if("sweep")
        self.sweeps += 1
        left = self.alive
        for box in left:
            box.alive = False
        return self.proof(leftovers=len(left))

    def proof(self, *, leftovers: int = 0) -> WipeProof:
        at = START.isoformat()
        return WipeProof(self.training, LOGOUT_NOT_TRIED, at, at, at, SPACE_NONE, leftovers)

    def fail_if(self, name: str) -> None:
        error = self.failing.pop(name, None)
        if error is not None:
            raise error

    def fail_wipe(self) -> None:
        for name in ("destroy", "sweep"):
            self.failing[name] = WipeUnproven("space held")


@dataclass
class Ticket:
    """One visit at the office."""

    visit: Visit
    number: str
    end_asked: bool = False


class Office:
    """The other end of the device API: the real visit table, gates and verdicts, one terminal, nothing kept on disk."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.tickets: dict[str, Ticket] = {}
        self.lease = 0
        self.codes: dict[str, str] = {}
        self.keys: list[str] = []
        self.tokens = ["token-0"]
        self.messages: list[Message] = []
        self.rejected: list[tuple[str, str]] = []
        self.payloads: dict[str, Any] = {}
        self.verdicts: dict[str, dict[str, Any]] = {}
        self.cleared = False
        self.quarantined = False
        self.violations: list[str] = []
        self.polls: list[dict[str, Any]] = []
        self.lose_answers = 0
        self.refuse: tuple[int, str] | None = None
        self.app = self._make_app()

    def trust(self, credentials: Credentials) -> None:
        self.keys = [public_text(credentials.key)]
        self.tokens = [credentials.token]

    def call(self, name: str = "") -> str:
        """Issue a ticket and call it; the gate refuses while another visit holds the terminal (I4)."""
        assert self.held() is None, "I4"
        ident = name or f"00000000-0000-4000-8000-{len(self.tickets):012d}"
        visit, _ = step(None, Event(EventKind.ISSUE, Role.SUPPORTER, None, {"preflight": {"brought": True}}))
        self.lease += 1
        called = Event(EventKind.CALL, Role.SUPPORTER, None, {"terminal": "t1", "lease": self.lease})
        visit, _ = step(visit, called)
        self.tickets[ident] = Ticket(visit, f"A-{len(self.tickets) + 1:03d}")
        return ident

    def back_to_queue(self) -> None:
        ident, ticket = self._must_hold()
        event = Event(EventKind.RETURN_TO_QUEUE, Role.SUPPORTER, None, {"reason": "not here"})
        self.tickets[ident].visit, _ = step(ticket.visit, event)

    def ask_end(self) -> None:
        ident, ticket = self._must_hold()
        self.tickets[ident].visit, _ = step(
            ticket.visit, Event(EventKind.ASK_END, Role.SUPPORTER, None, {"reason": "closing time"})
        )
        ticket.end_asked = True

    def clear(self) -> None:
        self.cleared = True

    def close_at_staff_screen(self) -> None:
        ident, _ = self._must_hold()
        body = {
            "confirmation": {"kind": "absent", "reason": "left_seat"},
            "outcome": "abandoned",
            "reason": "left_seat",
        }
        self._step(ident, Event(EventKind.CONFIRM, Role.SUPPORTER, None, body))

    def held(self) -> tuple[str, Ticket] | None:
        found = [(ident, t) for ident, t in self.tickets.items() if t.visit.state in OCCUPYING]
        if len(found) > 1:
            self.violations.append("I1: two visits hold the terminal")
        return found[0] if found else None

    def state(self, ident: str) -> VisitState:
        return self.tickets[ident].visit.state

    def chain(self, ident: str) -> list[str]:
        return [message.kind.value for message in self.messages if message.visit == ident]

    def _must_hold(self) -> tuple[str, Ticket]:
        found = self.held()
        assert found is not None
        return found

    def _step(self, ident: str, event: Event) -> None:
        visit, effects = step(self.tickets[ident].visit, event)
        if any(effect.kind.value == "close_visit" for effect in effects):
            visit, _ = step(visit, Event(EventKind.CLOSE, Role.SERVER))
        self.tickets[ident].visit = visit

    def _assignment(self) -> dict[str, Any] | None:
        found = self.held()
        if found is None:
            return None
        ident, ticket = found
        assert ticket.visit.lease is not None
        held = Assignment(
            ident,
            ticket.number,
            ticket.visit.lease,
            ticket.visit.state.value,
            PROCEDURE,
            end_asked=ticket.end_asked,
        )
        return held.to_json()

    def _make_app(self) -> Flask:
        app = Flask("office")
        app.add_url_rule("/api/device/enrol", view_func=self._enrol, methods=["POST"])
        app.add_url_rule("/api/device/poll", view_func=self._guarded(self._poll), methods=["POST"], endpoint="poll")
        app.add_url_rule("/api/device/messages", view_func=self._guarded(self._take), methods=["POST"], endpoint="m")
        app.add_url_rule("/api/device/token", view_func=self._guarded(self._roll), methods=["POST"], endpoint="t")
        return app

    def _guarded(self, view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
        def run() -> ResponseReturnValue:
            token = request.headers.get("Authorization", "").removeprefix("Device ")
            if token not in self.tokens:
                return jsonify(reason="TokenRevoked", sentence="取り消されています。"), 401
            if self.refuse is not None:
                return jsonify(reason=self.refuse[1], sentence="断りました。"), self.refuse[0]
            if len(self.tokens) > 1 and token == self.tokens[-1]:
                self.tokens = self.tokens[-1:]
            answer = view()
            if self.lose_answers:
                self.lose_answers -= 1
                return "gateway time-out", 504
            return answer

        return run

    def _enrol(self) -> ResponseReturnValue:
        given = request.get_json()
        standing = self.codes.get(given["code"], "EnrolmentUnknown")
        if standing != "fresh":
            return jsonify(reason=standing, sentence="x"), 409
        self.codes[given["code"]] = "EnrolmentUsed"
        self.keys.append(given["public_key"])
        key = base64.b64encode(b"k" * 32).decode()
        return jsonify(terminal="t1", name="本庁舎 1番", site="本庁舎", token=self.tokens[-1], tag_key=key)

    def _roll(self) -> ResponseReturnValue:
        self.tokens.append(f"token-{len(self.tokens)}-rolled")
        return jsonify(token=self.tokens[-1])

    def _poll(self) -> ResponseReturnValue:
        given = request.get_json()
        assert set(given) == {"state", "visit", "lease", "clock", "training", "version"}
        self.polls.append(given)
        now = START + timedelta(seconds=self.clock.seconds)
        return jsonify(server_time=now.isoformat(), assignment=self._assignment(), cleared=self.cleared)

    def _take(self) -> ResponseReturnValue:
        return jsonify(verdicts=[self._receive(row) for row in request.get_json()["messages"]])

    def _receive(self, row: Mapping[str, Any]) -> dict[str, Any]:
        verify(row["message"], row["signature"], public_from_text(self.keys[-1]))
        message = Message.from_json(row["message"])
        before = self.verdicts.get(message.id)
        if before is not None:
            return before if before["verdict"] == "rejected" else {**before, "verdict": "duplicate"}
        self.verdicts[message.id] = self._judge(message, row["payload"])
        return self.verdicts[message.id]

    def _judge(self, message: Message, payload: Any) -> dict[str, Any]:
        expected = len(self.messages) + len(self.rejected) + 1
        if message.seq != expected:
            self.violations.append(f"seq {message.seq}, expected {expected}")
        try:
            if message.visit is not None:
                self._step(message.visit, message.event())
        except (ProtocolError, KeyError) as error:
            if not self._concerns_quarantine(message):
                reason = error.code if isinstance(error, ProtocolError) else "VisitUnknown"
                self.rejected.append((message.kind.value, reason))
                return {"id": message.id, "verdict": "rejected", "reason": reason, "sentence": "断りました。"}
        self._note_wipe(message)
        self._keep_payload(message, payload)
        self.messages.append(message)
        return {"id": message.id, "verdict": "accepted", "reason": None, "sentence": None}

    def _concerns_quarantine(self, message: Message) -> bool:
        # the visit has gone its way, but what the machine says of its own wipe still holds, as at the real office
        failed = message.kind is EventKind.WIPE_FAILED
        return failed or (message.kind is EventKind.WIPE_PROVEN and self.quarantined)

    def _note_wipe(self, message: Message) -> None:
        if message.kind is EventKind.WIPE_FAILED:
            self.quarantined, self.cleared = True, False
        elif message.kind in (EventKind.WIPE_PROVEN, EventKind.SWEEP_PROVEN):
            self.quarantined = self.cleared = False

    def _keep_payload(self, message: Message, payload: Any) -> None:
        if payload is not None:
            check_commitment(message.body["confirmation"]["commitment"], payload["salt"], payload["payload"])
            self.payloads[message.id] = json.loads(json.dumps(payload))


def make_credentials() -> Credentials:
    return Credentials(
        terminal="t1",
        name="本庁舎 1番",
        site="本庁舎",
        token="token-0",
        tag_key=b"k" * 32,
        key=Ed25519PrivateKey.generate(),
        seal_key=b"s" * 32,
        token_at=START,
    )


@contextmanager
def failing(boxes: InMemoryBoxes, name: str, error: Exception) -> Iterator[None]:
    boxes.failing[name] = error
    yield
    assert name not in boxes.failing, "the planned failure never happened"


_JPEG = (
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
    "////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
