"""The counter with the four walls: the real server, the real agents, a box for every visit."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from madoguchi.card import MemoryReader, VirtualCard
from madoguchi.evidence import sealed
from madoguchi.protocol import (
    Confirmation,
    EndCause,
    Event,
    EventKind,
    Outcome,
    OwnName,
    Role,
    TerminalState,
    VisitState,
)
from madoguchi.replay.clock import ReplayClock
from madoguchi.replay.counter import Addresses, Seats, SwitchReader
from madoguchi.replay.errors import NothingOnScreen
from madoguchi.replay.office import SERVER, Office
from madoguchi.replay.pages import Pages
from madoguchi.server.errors import OfficeError
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.enrol import DeviceFile, enrol
from madoguchi.terminal.journal import Journal
from madoguchi.terminal.link import HttpLink
from madoguchi.terminal.ports import Boxes

if TYPE_CHECKING:
    from madoguchi.server.counters.models import Terminal
    from madoguchi.server.visits.models import Visit

_PRESENCE = frozenset({EndCause.CARD_GONE, EndCause.OTHER_CARD, EndCause.DOUBT, EndCause.READER_LOST})
_LOOKS_AFTER_A_STEP = (5, 15, 25, 60, 120, 300, 600, 660, 900, 1800)
"""Seconds after a step at which the agents look at their timers, unless the next step comes earlier."""
_STROKES = {"strokes": [[[12, 30, 0], [60, 42, 180], [110, 28, 340]]], "width": 600, "height": 200}

MakeBoxes = Callable[[], tuple[Boxes, Callable[[], Pages | None]]]
"""Boxes of one terminal, and the page that stands in the box now."""


class Station:
    """One terminal of the guarded counter: its agent, and the visit called to it."""

    def __init__(self, *, row: "Terminal", agent: Agent, page: Callable[[], Pages | None]) -> None:
        self.row = row
        self.agent = agent
        self.page = page
        self.visit: Visit | None = None
        self.unfinished = False

    def live(self) -> None:
        """Let the agent see its reader and its timers."""
        self.agent.settle()
        self.agent.tick()
        self.agent.settle()

    def look(self) -> None:
        """Let the agent see its server, too, until neither has news for the other."""
        self.live()
        while True:
            before = self.agent.record()
            self.agent.poll()
            self.live()
            if self.agent.record() == before:
                return

    @property
    def state(self) -> TerminalState:
        """State of the terminal."""
        return self.agent.record().terminal.state


class GuardedCounter:
    """Staff who do what the system asks of them, and people who do what they did."""

    def __init__(
        self,
        *,
        office: Office,
        folder: Path,
        clock: ReplayClock,
        readers: Mapping[str, MemoryReader],
        switch: SwitchReader,
        cards: Mapping[str, VirtualCard],
        addresses: Addresses,
        make_boxes: MakeBoxes,
        prevented: Callable[[str], None],
    ) -> None:
        self._office = office
        self._clock = clock
        self._seats = Seats(readers, switch)
        self._cards = cards
        self._addresses = addresses
        self._prevented = prevented
        self._stations = {
            name: _station(office, name, folder / f"terminal-{number}", clock, reader, make_boxes)
            for number, (name, reader) in enumerate(readers.items())
        }

    def pass_time(self, seconds: float) -> None:
        """Let the agents live through the time until the next step."""
        start = self._clock.now()
        for after in _LOOKS_AFTER_A_STEP:
            if after < seconds:
                self._clock.move_to(start + timedelta(seconds=after))
                self._live()
        self._clock.move_to(start + timedelta(seconds=seconds))
        self._live()

    def arrive(self, who: str, terminal: str, procedure: str) -> str:
        """See `Counter.arrive`."""
        station = self._stations[terminal]
        self._seats.sit(who, terminal, procedure)
        visit = self._office.issue(station.row, procedure)
        story = self._call(station, visit)
        station.visit = visit
        station.look()
        return story

    def sit_down(self, who: str, terminal: str, procedure: str) -> str:
        """See `Counter.sit_down`."""
        self._seats.sit(who, terminal, procedure)
        return f"端末は「{self._stations[terminal].state.label}」"

    def put_card(self, who: str) -> str:
        """See `Counter.put_card`."""
        name, seat = self._seats.of(who)
        seat.reader.remove()
        seat.reader.insert(self._cards[who])
        return self._after_card(name)

    def take_card(self, who: str) -> str:
        """See `Counter.take_card`."""
        name, seat = self._seats.of(who)
        seat.reader.remove()
        return self._after_card(name)

    def open_portal(self, who: str) -> Pages:
        """See `Counter.open_portal`."""
        pages = self.pages(who)
        pages.go(self._addresses.start[self._seats.of(who)[1].procedure])
        return pages

    def pages(self, who: str) -> Pages:
        """See `Counter.pages`."""
        name, _ = self._seats.of(who)
        station = self._stations[name]
        page = station.page() if station.state is TerminalState.OPEN else None
        if page is None:
            raise NothingOnScreen(f"{name}: {station.state.label}")
        station.agent.touch()
        station.agent.pump()
        return page

    def leave(self, who: str, *, card_behind: bool) -> str:
        """See `Counter.leave`."""
        return "カードはリーダーの上に残った" if card_behind else self.take_card(who)

    def finish(self, who: str) -> str:
        """See `Counter.finish`."""
        name, seat = self._seats.of(who)
        station = self._stations[name]
        _end(station)
        self._note_end(station)
        if station.state is TerminalState.CONFIRMING:
            self._sign(station)
        seat.reader.remove()
        station.look()
        return "終了・消去の証明・署名"

    def close(self) -> None:
        """See `Counter.close`: whatever is still open is ended and proven."""
        for station in self._stations.values():
            _end(station)

    def _live(self) -> None:
        for station in self._stations.values():
            station.live()
            self._note_end(station)

    def _after_card(self, name: str) -> str:
        station = self._stations[name]
        station.look()
        self._note_end(station)
        if station.state is TerminalState.OPEN and station.unfinished:
            station.unfinished = False
            self._prevented("box")
        return f"端末は「{station.state.label}」"

    def _note_end(self, station: Station) -> None:
        """Read from the terminal's own record why a visit ended."""
        terminal = station.agent.record().terminal
        if terminal.state is not TerminalState.CONFIRMING or terminal.cause in (None, EndCause.FINISH.value):
            return
        station.unfinished = True
        if terminal.cause in _PRESENCE:
            self._prevented("presence")

    def _call(self, station: Station, visit: "Visit") -> str:
        station.look()
        try:
            self._office.call(visit, station.row)
        except OfficeError as refusal:
            self._prevented("gate")
            self._clear(station)
            self._office.call(visit, station.row)
            return f"呼び出しは断られた({refusal.code})。前の対応を閉じてから呼んだ"
        return "受付番号で呼ばれた"

    def _clear(self, station: Station) -> None:
        """Do what the gate asks for: end what stands, and record that the citizen has left."""
        _end(station)
        station.look()
        standing = self._office.standing(station.row)
        if standing is not None and self._office.state(standing)[0] is VisitState.CONFIRMING:
            self._office.confirm_absent(standing)
        station.look()

    def _sign(self, station: Station) -> None:
        salt = sealed.new_salt()
        given = {
            "kind": Confirmation.SIGNATURE.value,
            "commitment": sealed.commit(salt, _STROKES),
            "own_name": OwnName.OWN.value,
        }
        body = {"confirmation": given, "outcome": Outcome.COMPLETED.value}
        lease = station.agent.record().terminal.lease
        event = Event(EventKind.CONFIRM, Role.CITIZEN, lease, body)
        station.agent.ask(event, payload={"salt": salt, "payload": _STROKES})


def _end(station: Station) -> None:
    """Press 終了 if a box is open; what the agent has heard of before (a browser that died) comes first."""
    station.agent.settle()
    if station.state in (TerminalState.OPEN, TerminalState.CURTAINED):
        station.agent.finish()
    station.agent.settle()


def _station(
    office: Office, name: str, folder: Path, clock: ReplayClock, reader: MemoryReader, make_boxes: MakeBoxes
) -> Station:
    row = office.terminal(name)
    client = httpx.Client(transport=office.transport)
    device = DeviceFile(folder / "device.json")
    credentials = enrol(server_url=SERVER, code=office.enrolment_code(row), device=device, client=client)
    boxes, page = make_boxes()
    agent = Agent(
        config=TerminalConfig(server_url=SERVER, state_dir=folder, training=True),
        credentials=credentials,
        reader=reader,
        boxes=boxes,
        link=HttpLink(base_url=SERVER, credentials=credentials, client=client),
        journal=Journal(folder / "journal.sqlite3", terminal=credentials.terminal, seal_key=credentials.seal_key),
        clock=clock,
    )
    agent.start()
    station = Station(row=row, agent=agent, page=page)
    station.look()
    return station
