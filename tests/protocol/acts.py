"""Everything that can happen at the counter and between the two machines, one act at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from madoguchi.protocol import (
    EndCause,
    Event,
    EventKind,
    Message,
    ProtocolError,
    Role,
    TerminalState,
    Verdict,
    VisitState,
)
from protocol.invariants import must
from protocol.world import AWAY, SIGNED, Counter, Office, Poll, renamed

PEOPLE = ("A", "B", "C")
CAUSES = tuple(EndCause)
ANSWERS = (EventKind.BOUND, EventKind.BIND_REFUSED, EventKind.UNASSIGN, EventKind.SERVER_CLOSED)
STAFF_REASON = {"reason": "係員の判断"}


class Act(NamedTuple):
    """One act: its group, when it can happen, and what happens (`pick` chooses among variants)."""

    group: str
    when: Callable[[Any], object]
    name: str


ACTS: list[Act] = []
_Method = TypeVar("_Method", bound=Callable[..., None])


def act(group: str, when: Callable[[Any], object]) -> Callable[[_Method], _Method]:
    """Put a method on the list of what can happen. It takes `pick`, or nothing."""

    def listed(method: _Method) -> _Method:
        ACTS.append(Act(group, when, method.__name__))
        return method

    return listed


class Acts:
    """`uncalled`: people may sit down without being called. `proof`: the registry asks card and PIN per write."""

    def __init__(self, *, uncalled: bool, proof: bool, gate: frozenset[VisitState] | None) -> None:
        self.uncalled, self.proof = uncalled, proof
        self.office = Office() if gate is None else Office(gate)
        self.counter = Counter()
        self.counter.restart()
        self.reader: str | None = None
        self.seat: str | None = None
        self.noticed: list[tuple[EventKind, str | None]] = []
        self.polls: list[Poll] = []
        self.late: list[Message] = []
        self.sent: list[Message] = []
        self.answers: list[tuple[Message, Verdict]] = []
        self.doomed: int | None = None
        self.forged = 0
        self.counter.wiped(proven=True)
        self.counter.deliver(self.office)

    # --- helpers

    def post(self, kind: EventKind, by: Role, lease: int | None = None, **body: Any) -> None:
        """Post to the agent, as a shell does: a refusal changes nothing."""
        doomed, self.doomed = self.doomed, None
        before = (self.counter.journal, list(self.counter.outbox))
        try:
            self.counter.post(Event(kind, by, lease, body), effects_done=doomed)
        except ProtocolError:
            must((self.counter.journal, self.counter.outbox) == before, "refused", f"{kind} changed something")
        self.remember()

    def remember(self) -> None:
        known = {message.id for message in self.sent}
        fresh = [*self.counter.outbox, *([self.counter.asking] if self.counter.asking else [])]
        self.sent.extend(message for message in fresh if message.id not in known)

    def arrive(self, message: Message) -> Verdict:
        """Let a message reach the office and hold it to I6."""
        before = dict(self.office.visits)
        first = message.id not in self.office.seen
        verdict = self.office.receive(message)
        if not first:
            must(verdict is Verdict.DUPLICATE and self.office.visits == before, "I6", "a second copy counted")
        elif message.visit is not None and message.lease != before[message.visit].lease:
            kept = self.office.records[-1]
            must(verdict is Verdict.REJECTED and self.office.visits == before, "I6", f"old lease counted: {message}")
            must((kept.kind, kept.lease) == (message.kind, message.lease), "I6", "an old lease was not kept")
        return verdict

    def standing(self, *states: VisitState) -> str | None:
        found = (name for name in self.office.standing() if not states or self.office.visits[name].state in states)
        return next(found, None)

    def waiting(self) -> list[str]:
        return [name for name, visit in self.office.visits.items() if visit.state is VisitState.WAITING]

    # --- the office

    @act("office", lambda p: len(p.waiting()) < 2 and len(p.office.visits) < 5)
    def issue(self, pick: int) -> None:
        self.office.issue(PEOPLE[pick % len(PEOPLE)])

    @act("office", lambda p: p.waiting() and p.office.may_call())
    def call(self, _pick: int = 0) -> None:
        name = self.waiting()[0]
        self.office.call(name)
        self.seat = self.office.person[name]

    @act("trouble", lambda p: p.standing(VisitState.CALLED))
    def take_back(self, pick: int) -> None:
        kind = (EventKind.WITHDRAW, EventKind.RETURN_TO_QUEUE)[pick % 2]
        self.office.act(self.standing(VisitState.CALLED) or "", kind, Role.SUPPORTER, STAFF_REASON)

    @act("trouble", lambda p: p.standing(VisitState.SERVING))
    def ask_end(self, _pick: int = 0) -> None:
        self.office.act(self.standing(VisitState.SERVING) or "", EventKind.ASK_END, Role.SUPPORTER, STAFF_REASON)

    @act("office", lambda p: p.standing(VisitState.CONFIRMING))
    def confirm_by_staff(self, _pick: int = 0) -> None:
        self.office.act(self.standing(VisitState.CONFIRMING) or "", EventKind.CONFIRM, Role.SUPPORTER, AWAY)

    @act("office", lambda p: p.counter.journal.state is TerminalState.QUARANTINED)
    def clear(self, _pick: int = 0) -> None:
        name = self.standing(VisitState.ENDING)
        if name is None:
            self.office.cleared = True
        else:
            self.office.act(name, EventKind.CLEAR, Role.CITY_OFFICER, STAFF_REASON)

    @act("trouble", lambda p: p.standing(VisitState.SERVING, VisitState.ENDING))
    def attest_wipe(self, _pick: int = 0) -> None:
        """The machine is gone for good: an officer has seen it destroyed, a new one stands there."""
        self.counter.replaced()
        name = self.standing(VisitState.SERVING, VisitState.ENDING) or ""
        self.office.act(name, EventKind.ATTEST_WIPE, Role.CITY_OFFICER, {"proof": "撤去", **STAFF_REASON})

    # --- people and cards

    @act("people", lambda p: p.seat and p.reader is None)
    def insert(self, pick: int = 0) -> None:
        """Put down the own card, or now and then that of somebody else (families, mix-ups)."""
        self.reader = PEOPLE[pick % len(PEOPLE)] if pick % 4 == 3 else self.seat
        self.noticed.append((EventKind.CARD_SEEN, self.reader))

    @act("people", lambda p: p.reader)
    def remove(self, _pick: int = 0) -> None:
        self.reader = None
        self.noticed.append((EventKind.CARD_GONE, None))

    @act("people", lambda p: p.reader and p.seat)
    def swap(self, pick: int) -> None:
        """The card on the reader is exchanged, so fast that the reader may have missed the removal."""
        self.reader = next(p for p in PEOPLE[pick % 2 :] if p != self.reader)
        self.noticed.extend([(EventKind.CARD_GONE, None)] if pick % 2 else [])
        self.noticed.append((EventKind.CARD_SEEN, self.reader))

    @act("people", lambda p: p.noticed)
    def notice(self, _pick: int = 0) -> None:
        kind, card = self.noticed.pop(0)
        if self.counter.up:
            self.post(kind, Role.TERMINAL, None, **({"card_tag": card} if card else {}))

    @act("people", lambda p: p.seat)
    def leave(self, _pick: int = 0) -> None:
        """Walk away; a card on the reader stays there."""
        self.seat = None

    @act("people", lambda p: p.uncalled)
    def sit_uncalled(self, pick: int) -> None:
        self.seat = PEOPLE[pick % len(PEOPLE)]

    def visible(self) -> bool:
        """Whether somebody at the terminal can use the box."""
        box = self.counter.box
        shown = self.counter.journal.state is TerminalState.OPEN or not self.counter.up
        return box is not None and not box.curtained and shown

    @act("people", lambda p: p.visible() and p.seat and p.reader == p.seat)
    def log_in(self, _pick: int = 0) -> None:
        """Log in with card and PIN; a session that runs is not replaced (the sites of 2022)."""
        box = self.counter.box
        if box is not None and box.session is None:
            box.session = self.reader

    @act("people", lambda p: p.visible() and p.seat)
    def write(self, _pick: int = 0) -> None:
        """Register; with proof per write the card on the reader signs, by its owner's PIN (I3)."""
        box = self.counter.box
        if box is None or box.session is None:
            return
        if self.proof and not (self.reader == box.session == self.seat):
            return
        box.written = True
        must(box.session == self.seat, "wrong", f"what {self.seat} registered landed on {box.session}")

    # --- the agent

    @act("trouble", lambda p: p.counter.up)
    def end_for_any_cause(self, pick: int) -> None:
        self.end((Role.CITIZEN, Role.TERMINAL)[pick % 2], CAUSES[pick % len(CAUSES)])

    def end(self, by: Role, cause: EndCause) -> None:
        """The button, the idle timer, a dead browser, a doubt. Needs nobody else (I7)."""
        state, doomed = self.counter.journal.state, self.doomed
        self.post(EventKind.END, by, cause=cause.value)
        if state in (TerminalState.OPEN, TerminalState.CURTAINED) and doomed is None:
            must(self.counter.wiping, "I7", "ending did not start at once")

    @act("people", lambda p: p.counter.up and p.counter.grace)
    def grace_over(self, _pick: int = 0) -> None:
        self.post(EventKind.END, Role.TERMINAL, cause=EndCause.CARD_GONE.value)

    @act("people", lambda p: p.counter.up and p.counter.wiping)
    def wiped(self, pick: int) -> None:
        self.counter.wiped(proven=bool(pick % 4))
        self.remember()

    @act("people", lambda p: p.counter.up and p.counter.journal.state is TerminalState.CONFIRMING)
    def confirm_at_terminal(self, _pick: int = 0) -> None:
        self.post(EventKind.CONFIRM, Role.CITIZEN, self.counter.journal.lease, **SIGNED)

    @act("trouble", lambda p: p.counter.up)
    def crash(self, pick: int) -> None:
        self.counter.crash(box_survives=bool(pick % 2))
        self.polls.clear()
        self.answers.clear()

    @act("trouble", lambda p: p.counter.up)
    def crash_within_next_step(self, pick: int) -> None:
        self.doomed = pick % 4

    @act("trouble", lambda p: not p.counter.up)
    def restart(self, _pick: int = 0) -> None:
        self.counter.restart()
        self.noticed.clear()
        self.remember()

    @act("trouble", lambda p: p.counter.up)
    def lose_memory(self, _pick: int = 0) -> None:
        """The disk is replaced."""
        self.counter.replaced()
        self.polls.clear()
        self.answers.clear()

    # --- between the two

    @act("office", lambda p: p.counter.up and len(p.polls) < 1)
    def ask_poll(self, _pick: int = 0) -> None:
        self.polls.append(self.counter.ask(self.office))

    @act("office", lambda p: p.counter.up and p.polls)
    def hear_poll(self, _pick: int = 0) -> None:
        self.counter.hear(self.polls.pop(0))
        self.remember()

    @act("office", lambda p: p.counter.up and p.counter.outbox)
    def deliver(self, pick: int) -> None:
        """The outbox arrives in order; when the answer is lost, everything will be sent again."""
        for message in list(self.counter.outbox):
            self.arrive(message)
            if pick % 2:
                self.counter.outbox.remove(message)

    @act("office", lambda p: p.counter.asking)
    def bind_arrives(self, _pick: int = 0) -> None:
        asking = self.counter.asking
        if asking is not None:
            self.answers.append((asking, self.arrive(asking)))

    @act("office", lambda p: p.counter.up and p.answers)
    def bind_answered(self, _pick: int = 0) -> None:
        message, verdict = self.answers.pop(0)
        self.counter.answered(message, verdict)
        self.remember()

    @act("trouble", lambda p: p.sent and len(p.late) < 4)
    def hold_back_a_copy(self, pick: int) -> None:
        self.late.append(self.sent[pick % len(self.sent)])

    @act("trouble", lambda p: p.late)
    def late_copy_arrives(self, pick: int) -> None:
        message = self.late[pick % len(self.late)]
        self.late.remove(message)
        self.arrive(message)

    @act("trouble", lambda p: p.sent)
    def old_report_sent_as_new(self, pick: int) -> None:
        """What was said under an old lease is said again under a fresh id, about any visit."""
        old = self.sent[pick % len(self.sent)]
        names = [name for name, visit in self.office.visits.items() if visit.lease != old.lease]
        if old.visit is None or not names:
            return
        self.forged += 1
        self.arrive(renamed(old, self.forged, visit=names[pick % len(names)]))

    @act("trouble", lambda p: p.counter.up and p.counter.journal.lease)
    def old_answer_comes(self, pick: int) -> None:
        kind = ANSWERS[pick % len(ANSWERS)]
        before = self.counter.journal
        old = Event(kind, Role.SERVER, (before.lease or 1) - 1 or None, {"reason": "old"})
        self.counter.tell(old)
        must(self.counter.journal == before, "I6", f"an old {kind} counted at the terminal")
