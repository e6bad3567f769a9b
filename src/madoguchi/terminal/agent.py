"""The agent: every event goes through `protocol.step`, then the journal, then the world.

Order of every step: (1) `step` decides, (2) one journal transaction keeps the new snapshot and the messages that
report it, (3) the effects happen; what follows from them is handled before anything else that waits. A crash between
(2) and (3) is what `RESTART` is for: it destroys and proves.

- A refused event is noted and changes nothing. An exception in an effect while a box is open is doubt: the visit ends.
- A journal that cannot be written ends the box at once and lets nothing open until it can be written again.
- Ending asks nobody. Only binding a card waits for the server.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from madoguchi.card import read_card_tag
from madoguchi.card.reader import Reader
from madoguchi.protocol import (
    Assignment,
    EffectKind,
    EndCause,
    Event,
    EventKind,
    ProtocolError,
    Role,
    Terminal,
    TerminalState,
    step,
)
from madoguchi.terminal import texts
from madoguchi.terminal.bind import BindOutcome, BindResult
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.effects import GRACE, Effects
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import BoxUnavailable, JournalBroken, place_of
from madoguchi.terminal.idle import IdleWatch
from madoguchi.terminal.journal import Journal, Record
from madoguchi.terminal.liaison import Fetched, Liaison, after_bind
from madoguchi.terminal.link import Link
from madoguchi.terminal.loop import Item, Loop
from madoguchi.terminal.manner import Manners
from madoguchi.terminal.outbox import Stamper
from madoguchi.terminal.ports import Boxes, Screen
from madoguchi.terminal.presence import IN_USE, Presence
from madoguchi.terminal.readiness import Readiness
from madoguchi.terminal.reports import draft_for, next_record, pending
from madoguchi.terminal.status import Notice, Server, Status, about, view_of
from madoguchi.terminal.timers import Clock, Timers
from madoguchi.terminal.watch import Observation, Watcher

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.2
_ASK_SECONDS = _HUNG_SECONDS = 10.0


class Agent:
    """One terminal. `start` first; then `run` in the main thread, or `settle`, `pump`, `tick` and `poll` by hand."""

    def __init__(
        self,
        *,
        config: TerminalConfig,
        credentials: Credentials,
        reader: Reader,
        boxes: Boxes,
        link: Link,
        journal: Journal,
        clock: Clock,
        read_tag: Callable[[], str] | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.credentials = credentials
        self._boxes = boxes
        self._journal = journal
        self._timers = Timers(clock)
        self._stamp = Stamper(credentials, clock, self.training)
        self._liaison = Liaison(
            config=config,
            clock=clock,
            link=link,
            journal=journal,
            training=self.training,
            record=lambda: self._record,
        )
        self._loop = Loop(self._do)
        self.turning = partial(self._loop.turning, _HUNG_SECONDS)
        self._effects = Effects(
            boxes=boxes, timers=self._timers, config=config, post=self.post, language=lambda: self.manners.language()
        )
        self.manners = Manners(loop=self._loop, language=config.language, changed=self._effects.tell)
        self._idle = IdleWatch(clock=clock, config=config, language=self.manners.language)
        tag = read_tag or partial(read_card_tag, reader, credentials.tag_key)
        self.watcher = Watcher(reader=reader, read_tag=tag, tell=self._told, clock=clock)
        self._presence = Presence(watcher=self.watcher, clock=clock)
        self._readiness = Readiness(boxes=boxes, training=config.training, clock=clock)
        self._record = Record()
        self._visit_notice: Notice | None = None
        self._unasked = False
        self._confirmed: int | None = None
        self._started = False
        self._broken = False
        self._status = Status(training=self.training)
        self.news = threading.Event()

    @property
    def training(self) -> bool:
        """Whether visits here are practice: by the switch, or because the boxes are not real."""
        return self.config.training or self._boxes.training

    # what other threads may call

    def post(self, event: Event) -> None:
        """Queue an event."""
        self._loop.put(partial(self._handle, event))

    def ask(self, event: Event, *, payload: Mapping[str, Any] | None = None) -> None:
        """Queue an event and wait until it is on the disk.

        Raises `ProtocolError` when the rules refuse it, `JournalBroken`, or `AgentBusy` when the loop does not answer
        in time (the event may still be handled: repeat it under the same lease).
        """
        done: Future[None] = Future()
        self._loop.put(partial(self._handle, event, payload=payload, done=done))
        self._loop.result(done, seconds=_ASK_SECONDS, what=event.kind.value)

    def finish(self) -> None:
        """End the visit because the citizen says so on the desk page. Raises as `ask`."""
        self.ask(self._ending(EndCause.FINISH, by=Role.CITIZEN))

    def finish_pressed(self) -> None:
        """End the visit because 終了 was pressed on the bar; does not wait."""
        self.post(self._ending(EndCause.FINISH, by=Role.CITIZEN))

    def touch(self) -> None:
        """Start the idle time again: somebody is there."""
        self._loop.put(self._touched)

    def status(self) -> Status:
        """Return the latest picture."""
        return self._status

    def record(self) -> Record:
        """Return what the agent remembers now."""
        return self._record

    def confirmed(self, lease: int) -> bool:
        """Whether the confirmation of the visit under this lease was kept here, since the start."""
        return self._confirmed == lease

    def screen(self) -> Screen | None:
        """Return the box's virtual screen while it may be shown: training, no display, visit open."""
        box = self._effects.box
        shown = self.config.training and not self.config.display and self._record.terminal.state is TerminalState.OPEN
        return box.screen if shown and box is not None else None

    def poll(self) -> bool:
        """Deliver what waits, ask the server once, queue the answer for the loop; return whether it answered."""
        try:
            fetched = self._liaison.fetch()
        except JournalBroken:
            self._loop.put(self._break_down)
            return False
        self._loop.put(partial(self._fetched, fetched))
        return fetched.answer is not None

    # the loop

    def start(self) -> None:
        """Load the journal, destroy whatever is left, prove it; only then is the terminal locked."""
        self._loop.own()
        self._record = self._journal.load() or Record()
        self._loop.soon(partial(self._handle, Event(EventKind.RESTART, Role.TERMINAL)))
        self._loop.soon(self._begun)
        self._loop.pump()

    def pump(self) -> int:
        """Handle everything that waits, without blocking; return how many things that was."""
        return self._loop.pump()

    def settle(self) -> None:
        """Look at the reader and handle everything until nothing is new: for replays and tests without threads."""
        while self.watcher.observe() or self.pump():
            pass

    def tick(self) -> None:
        """Fire what is due by the clock, then handle everything that waits. Loop thread only."""
        self._loop.soon(self._tick)
        self._loop.pump()

    def run(self, stop: threading.Event) -> None:
        """Handle events and timers until `stop`; a visit that is open then is ended and proven."""
        self._loop.own()
        while not stop.is_set():
            self._loop.wait(_TICK_SECONDS)
            self.tick()
        if self._record.terminal.state in IN_USE:
            self._end(EndCause.AGENT_RESTARTED)
        self._loop.pump()
        self._effects.dismiss()

    def _do(self, item: Item) -> None:
        try:
            item()
        except JournalBroken:
            self._break_down()
        except Exception as error:  # noqa: BLE001  # the loop outlives every error; an open visit does not
            self._doubt(place_of(error))
        self._publish()

    def _ending(self, cause: EndCause, *, by: Role = Role.TERMINAL) -> Event:
        return Event(EventKind.END, by, self._record.terminal.lease, {"cause": cause.value})

    def _begun(self) -> None:
        self._readiness.ask()
        self._started = True

    # one step

    def _handle(
        self,
        event: Event,
        *,
        assignment: Assignment | None = None,
        payload: Mapping[str, Any] | None = None,
        done: Future[None] | None = None,
    ) -> None:
        try:
            effects = self._decide(event, assignment, payload)
        except (ProtocolError, JournalBroken) as error:
            if done is not None:
                done.set_exception(error)
            if isinstance(error, JournalBroken):
                raise
            self._note(error.code, f"{self._record.terminal.state} + {event.kind}")
            return
        if done is not None:
            done.set_result(None)
        self._publish()
        for effect in effects:
            self._carry_out(effect)

    def _decide(
        self, event: Event, assignment: Assignment | None, payload: Mapping[str, Any] | None
    ) -> list[EffectKind]:
        if self._broken and event.kind is not EventKind.RESTART:
            raise JournalBroken("waiting for the journal")
        before = self._record
        after, effects = step(before.terminal, event)
        drafts = [draft_for(effect, before.terminal, after, event, payload) for effect in effects]
        record = next_record(before, after, assignment)
        self._journal.commit(record, [draft for draft in drafts if draft], self._stamp)
        self._record, self._broken = record, False
        if event.kind is EventKind.CONFIRM:
            self._confirmed = before.terminal.lease
        self.manners.entered(before.terminal, after)
        self._entered(before.terminal, after)
        if any(drafts):
            self.news.set()
        return [effect.kind for effect in effects if effect.kind is not EffectKind.REPORT]

    def _entered(self, before: Terminal, after: Terminal) -> None:
        if before.state is after.state:
            return
        self._visit_notice = None
        if after.state is TerminalState.OPEN:
            self._touched()
        if after.state is TerminalState.WAITING_CARD:
            self._presence.called()

    def _carry_out(self, effect: EffectKind) -> None:
        try:
            if effect is EffectKind.BIND:
                self._bind()
                return
            for event in self._effects.carry_out(effect, self._record):
                self._soon(event)
        except JournalBroken:
            raise
        except BoxUnavailable as error:
            self._note(error.code, " / ".join(error.missing))
            self._readiness.failed(error.missing)
            self._end(EndCause.BROWSER_DIED)
        except Exception as error:  # noqa: BLE001  # not knowing what happened to a box is doubt
            self._doubt(f"{effect}: {place_of(error)}")

    def _soon(self, event: Event) -> None:
        self._loop.soon(partial(self._handle, event))

    def _doubt(self, what: str) -> None:
        self._note("Doubt", what)
        if self._record.terminal.state in IN_USE:
            self._end(EndCause.DOUBT)

    def _end(self, cause: EndCause) -> None:
        self._soon(self._ending(cause))

    def _break_down(self) -> None:
        self._broken = True
        self._effects.kill()

    def _note(self, code: str, detail: str) -> None:
        _log.warning("%s: %s", code, detail)
        try:
            self._journal.note(code=code, detail=detail)
        except JournalBroken:
            self._break_down()

    # the card

    def _told(self, seen: Observation) -> None:
        self._loop.put(partial(self._observed, seen))

    def _observed(self, seen: Observation) -> None:
        event = self._presence.take(seen, self._record.terminal)
        if event is not None:
            self._handle(event)

    # the server

    def _fetched(self, fetched: Fetched) -> None:
        order = self._liaison.digest(fetched, can_serve=self._can_serve())
        if order is not None:
            self._handle(order.event, assignment=order.assignment)
        elif self._liaison.server is Server.REACHED:
            self._ask_again()

    def _ask_again(self) -> None:
        """Repeat a question without answer; put one that never left again while its card lies there untouched."""
        if self._liaison.waits_for_answer:
            self._bind()
        elif self._unasked and (seen := self._presence.seen_again()) is not None:
            self._handle(seen)

    def _can_serve(self) -> bool:
        return self._liaison.server is not Server.REVOKED and not self._broken and self._readiness.ready

    def _bind(self) -> None:
        self._visit_notice = None
        if self._can_serve():
            outcome = self._liaison.bind()
        else:
            self._liaison.withdraw()
            outcome = BindOutcome(BindResult.NEVER_LEFT, BoxUnavailable.__name__, BoxUnavailable.sentence)
        if outcome.result is not BindResult.BOUND:
            self._visit_notice = Notice(outcome.code, outcome.sentence or texts.BIND_REFUSED)
        self._unasked = outcome.result is BindResult.NEVER_LEFT
        for event in after_bind(outcome, self._record.terminal, still_there=self._presence.here()):
            self._soon(event)

    # time

    def _tick(self) -> None:
        if self._broken:
            self._handle(Event(EventKind.RESTART, Role.TERMINAL))
            return
        if self._record.terminal.state is TerminalState.LOCKED:
            self._readiness.ask()
        for event in self._effects.keep_ready(self._record) if self._can_serve() else ():
            self._soon(event)
        if GRACE in self._timers.take_due():
            self._end(EndCause.CARD_GONE)
        if self._record.terminal.state is TerminalState.OPEN and self._idle.is_over(self._effects.box):
            self._end(EndCause.IDLE)
        if (end := self._presence.missed_beat(self._record.terminal)) is not None:
            self._soon(end)

    def _touched(self) -> None:
        self._idle.touch(self._effects.box)

    # the picture

    def _publish(self) -> None:
        can_serve = self._can_serve()
        self._status = Status(
            view=view_of(self._record.terminal.state, started=self._started, can_serve=can_serve),
            terminal=self._record.terminal,
            visit=about(self._record),
            training=self.training,
            notices=tuple(notice for notice in self._every_notice() if notice is not None),
            missing=() if self._readiness.ready else self._readiness.missing,
            card_present=self._presence.present,
            card_lying=self._presence.lying,
            grace_deadline=self._timers.deadline(GRACE),
            idle_deadline=self._idle.shown_deadline,
            server=self._liaison.server,
            skew_seconds=self._liaison.skew,
            pending=pending(self._journal, otherwise=self._status.pending),
            relay=self.screen() is not None,
            manner=self.manners.now,
        )

    def _every_notice(self) -> tuple[Notice | None, ...]:
        broken = Notice(JournalBroken.__name__, JournalBroken.sentence) if self._broken else None
        return broken, self._visit_notice, self._presence.notice, self._liaison.notice
