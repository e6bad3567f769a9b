"""A small world around the real tables: an office, a counter with a reader and a box, people with cards.

The shells are as plain as they can be: everything that decides is `step`, `report_of` and `order_of`. What a
real machine can do at a bad moment (crash before an effect, lose an answer, deliver late or twice) is a method.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from madoguchi.protocol import (
    Assignment,
    EffectKind,
    Event,
    EventKind,
    Message,
    Procedure,
    ProtocolError,
    Role,
    Terminal,
    TerminalState,
    Verdict,
    Visit,
    VisitState,
    order_of,
    report_of,
    step,
)
from madoguchi.protocol.states import OCCUPYING

TERMINAL = "T1"
PROCEDURE = Procedure("account", "公金受取口座", "https://account.example", "https://account.example/out", ())
NINE = "2022-08-17T09:00:00+09:00"
SIGNED = {
    "confirmation": {"kind": "signature", "commitment": "c2ln", "own_name": "own"},
    "outcome": "completed",
}
AWAY = {
    "confirmation": {"kind": "absent", "reason": "離席"},
    "outcome": "abandoned",
    "reason": "left_seat",
}


@dataclass(frozen=True)
class Entry:
    """One line of the office's records: what arrived or was done, and whether it counted."""

    visit: str | None
    kind: EventKind
    lease: int | None
    verdict: Verdict
    body: dict[str, Any]


@dataclass
class Office:
    """The server: visits, leases, records. `occupying` is the gate (mutants take it away)."""

    occupying: frozenset[VisitState] = OCCUPYING
    visits: dict[str, Visit] = field(default_factory=dict)
    person: dict[str, str] = field(default_factory=dict)
    lease: int = 0
    records: list[Entry] = field(default_factory=list)
    seen: dict[str, Verdict] = field(default_factory=dict)
    end_asked: set[str] = field(default_factory=set)
    cleared: bool = False

    def issue(self, person: str) -> str:
        name = f"V{len(self.visits) + 1}"
        self.visits[name], _ = step(None, Event(EventKind.ISSUE, Role.SUPPORTER, None, {"preflight": {"pin": True}}))
        self.person[name] = person
        return name

    def standing(self) -> list[str]:
        """Visits that hold the terminal by the real rule, whatever the gate of this world is."""
        return [name for name, visit in self.visits.items() if visit.terminal and visit.state in OCCUPYING]

    def may_call(self) -> bool:
        return not any(visit.terminal and visit.state in self.occupying for visit in self.visits.values())

    def call(self, name: str) -> None:
        self.lease += 1
        self.cleared = False
        self.act(name, EventKind.CALL, Role.SUPPORTER, {"terminal": TERMINAL, "lease": self.lease})

    def act(self, name: str, kind: EventKind, by: Role, body: dict[str, Any], lease: int | None = None) -> None:
        """Run one event and what follows from it. Raises what `step` raises."""
        self.visits[name], effects = step(self.visits[name], Event(kind, by, lease, body))
        self.records.append(Entry(name, kind, lease or self.visits[name].lease, Verdict.ACCEPTED, dict(body)))
        if kind is EventKind.ASK_END:
            self.end_asked.add(name)
        if kind is EventKind.CLEAR:
            self.cleared = True
        if any(effect.kind is EffectKind.CLOSE_VISIT for effect in effects):
            self.act(name, EventKind.CLOSE, Role.SERVER, {})

    def receive(self, message: Message) -> Verdict:
        """Take a message in whatever order it comes; a known id changes nothing."""
        message = Message.from_json(message.to_json())
        if message.id in self.seen:
            return Verdict.DUPLICATE
        self.seen[message.id] = self._judge(message)
        return self.seen[message.id]

    def _judge(self, message: Message) -> Verdict:
        if message.kind is EventKind.WIPE_FAILED:
            self.cleared = False
        if message.visit is None:
            self.records.append(Entry(None, message.kind, None, Verdict.ACCEPTED, dict(message.body)))
            return Verdict.ACCEPTED
        try:
            self.act(message.visit, message.kind, Role.TERMINAL, dict(message.body), message.lease)
        except ProtocolError:
            self.records.append(Entry(message.visit, message.kind, message.lease, Verdict.REJECTED, dict(message.body)))
            return Verdict.REJECTED
        return Verdict.ACCEPTED

    def poll(self) -> Assignment | None:
        standing = self.standing()
        if not standing:
            return None
        name, visit = standing[-1], self.visits[standing[-1]]
        assert visit.lease is not None
        given = Assignment(name, name, visit.lease, visit.state.value, PROCEDURE, name in self.end_asked, self.cleared)
        return Assignment.from_json(given.to_json())


@dataclass
class Box:
    """A visit's browser: for whom it was opened, whether the curtain is down, whose session runs in it."""

    visit: str
    card: str
    curtained: bool = False
    session: str | None = None
    written: bool = False


@dataclass(frozen=True)
class Poll:
    """One answer on its way: what the office said, and how far the terminal's reports were when it asked."""

    assignment: Assignment | None
    cleared: bool
    seq: int
    unsent: bool


class Counter:
    """The agent: journal and outbox survive a crash, the rest does not."""

    def __init__(self) -> None:
        self.journal = Terminal(TerminalState.LOCKED)
        self.outbox: list[Message] = []
        self.seq = 0
        self.up = True
        self.box: Box | None = None
        self.asking: Message | None = None
        self.grace = False
        self.wiping = False
        self.refused: list[tuple[Event, str]] = []

    def post(self, event: Event, *, effects_done: int | None = None) -> None:
        """Step, journal the state with its reports, then do the effects; with `effects_done`, crash after so many.

        Raises what `step` raises, having changed nothing.
        """
        before = self.journal
        after, effects = step(before, event)
        for effect in effects:
            if effect.kind is EffectKind.REPORT and effect.event is not None:
                self.outbox.append(self._message(effect.event, before, after, event))
        self.journal = after
        todo: dict[EffectKind, Callable[[], None]] = {
            EffectKind.BIND: lambda: self._ask(before, event),
            EffectKind.OPEN_BOX: self._open,
            EffectKind.DROP_CURTAIN: lambda: self._curtain(down=True),
            EffectKind.LIFT_CURTAIN: lambda: self._curtain(down=False),
            EffectKind.START_GRACE: lambda: setattr(self, "grace", True),
            EffectKind.STOP_GRACE: lambda: setattr(self, "grace", False),
            EffectKind.DESTROY_BOX: lambda: setattr(self, "wiping", True),
            EffectKind.REPORT: lambda: None,
        }
        for number, effect in enumerate(effects):
            if effects_done is not None and number >= effects_done:
                break
            todo[effect.kind]()
        if effects_done is not None:
            self.crash()

    def tell(self, event: Event) -> None:
        """Post what comes from outside and may come too late: a refusal is noted and changes nothing."""
        try:
            self.post(event)
        except ProtocolError as error:
            self.refused.append((event, error.code))

    def _message(self, kind: EventKind, before: Terminal, after: Terminal, event: Event) -> Message:
        self.seq += 1
        told = report_of(kind, before, after, event)
        name = str(uuid.UUID(int=self.seq))
        return Message(name, TERMINAL, self.seq, told.kind, NINE, told.visit, told.lease, body=told.body)

    def _ask(self, before: Terminal, event: Event) -> None:
        self.asking = self._message(EventKind.BIND_CARD, before, self.journal, event)

    def _open(self) -> None:
        assert self.journal.visit is not None
        assert self.journal.card_tag is not None
        self.box = Box(self.journal.visit, self.journal.card_tag)

    def _curtain(self, *, down: bool) -> None:
        if self.box:
            self.box.curtained = down

    def answered(self, message: Message, verdict: Verdict) -> None:
        """Hear the answer to a BIND_CARD."""
        if self.asking is None or self.asking.id != message.id:
            return
        self.asking = None
        bound = verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)
        kind = EventKind.BOUND if bound else EventKind.BIND_REFUSED
        self.tell(Event(kind, Role.SERVER, message.lease, {} if bound else {"reason": "refused"}))

    def wiped(self, *, proven: bool) -> None:
        """Finish the destruction that an effect started."""
        self.wiping = False
        if proven:
            self.box = None
            self.post(Event(EventKind.WIPE_PROVEN, Role.TERMINAL, None, {"proof": {"space": "unmounted"}}))
        else:
            self.post(Event(EventKind.WIPE_FAILED, Role.TERMINAL, None, {"failure": "busy"}))

    def crash(self, *, box_survives: bool = True) -> None:
        self.up, self.asking, self.wiping, self.grace = False, None, False, False
        if not box_survives:
            self.box = None

    def restart(self) -> None:
        self.up = True
        self.post(Event(EventKind.RESTART, Role.TERMINAL))

    def replaced(self) -> None:
        """A new machine or a new disk: nothing is remembered, and nothing of the old box is left."""
        numbers = self.seq
        self.__init__()  # type: ignore[misc]  # the plainest way to forget everything
        self.seq, self.up = numbers, False

    def ask(self, office: Office) -> Poll:
        return Poll(office.poll(), office.cleared, self.seq, bool(self.outbox))

    def hear(self, poll: Poll) -> None:
        unsent = poll.unsent or bool(self.outbox) or poll.seq != self.seq
        order = order_of(self.journal, poll.assignment, cleared=poll.cleared, unsent=unsent)
        if order is not None:
            self.tell(order)

    def deliver(self, office: Office) -> None:
        """Everything in the outbox arrives, in order, and the answers come back."""
        for message in list(self.outbox):
            office.receive(message)
            self.outbox.remove(message)


def renamed(message: Message, number: int, **changes: Any) -> Message:
    """The same report as a new message: what an attacker, or a fault, would send again."""
    return replace(message, id=str(uuid.UUID(int=10_000 + number)), **changes)
