"""The other end of the device API for the terminal's tests: one terminal, the real visit table, nothing on disk."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from madoguchi.evidence.envelope import verify
from madoguchi.evidence.keys import public_from_text, public_text
from madoguchi.evidence.sealed import check_commitment
from madoguchi.protocol import (
    Assignment,
    Event,
    EventKind,
    Message,
    ProtocolError,
    Role,
    Visit,
    VisitState,
    step,
)
from madoguchi.protocol.states import OCCUPYING
from madoguchi.terminal.enrol import Credentials
from terminal.doubles import PROCEDURE, START, SimClock


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
        return jsonify(terminal="t1", name="1番", site="本庁舎", token=self.tokens[-1], tag_key=key)

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
