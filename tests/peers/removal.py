"""Card out -> curtain: a real pcscd with a virtual card, our own watch, a whole agent with its journal, a real box."""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from madoguchi.card import CertificateAuthority, Holder, KeyKind, Pins, Reader, Sex, VirtualCard
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcsc_codes import is_present
from madoguchi.card.pcsc_line import Link
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.card.vpcd import VpcdSlot
from madoguchi.protocol import Procedure, TerminalState
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.box import BwrapBoxes
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.curtain import Frame
from madoguchi.terminal.link import HttpLink
from madoguchi.terminal.ports import Boxes
from peers.eyes import Eyes
from peers.site import TrialSite
from peers.turnaround import PLACE, use
from terminal import office
from terminal.box.xserver import XServer
from terminal.live import LiveRig

READER = "Virtual PCD 00 00"
_POLL = 0.4
_MS = 1000


class Moments:
    """When things happened since `arm` (seconds of `perf_counter`): the first time counts."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def arm(self) -> None:
        """Forget what was seen."""
        self._seen = {}

    def note(self, what: str) -> None:
        """It happens now."""
        self._seen.setdefault(what, time.perf_counter())

    def wait(self, what: str, limit: float = 10.0) -> float:
        """Wait for it; when it was. Raises `TimeoutError`."""
        deadline = time.monotonic() + limit
        while what not in self._seen:
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.001)
        return self._seen[what]


class RemovalRig(LiveRig):
    """The rig of the agent's tests, with a real reader, real boxes and the product's own watching thread."""

    def __init__(self, folder: Path, reader: Reader, boxes: Boxes) -> None:
        self._real: tuple[Reader, Boxes] = reader, boxes
        super().__init__(folder)

    def _make(self) -> Agent:
        reader, boxes = self._real
        link = HttpLink(base_url=self.config.server_url, credentials=self.credentials, client=self.client)
        return Agent(
            config=self.config,
            credentials=self.credentials,
            reader=reader,
            boxes=boxes,
            link=link,
            journal=self.journal,
            clock=self.clock,
        )

    def _watch(self) -> None:
        self.agent.watcher.run(self._stop)


class Removal:
    """Milliseconds by part, and how often the page still showed when the curtain was said to be down."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.uncovered = 0
        self._moments = Moments()

    def run(self, rounds: int, progress: Callable[[str], None]) -> None:
        """Measure: one visit, its card taken and put back again and again at random moments."""
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as folder,  # a disk
            PrivatePcscd(Path(folder) / "pcscd") as service,
            TrialSite() as site,
            XServer() as display,
            Eyes(display) as eyes,
        ):
            os.environ.update(service.environment)
            state = Path(folder) / "state"
            state.mkdir(mode=0o755)
            config = BoxConfig(state=state, display=display.display, input_method="")
            vars(office)["PROCEDURE"] = Procedure("test", "架空の手続", site.start, "", (site.origin,))
            site.expect()
            with PcscReader(READER) as reader, self._hooks():
                rig = RemovalRig(state, reader, BwrapBoxes(config))
                with rig.running():
                    self._visit(rig, VpcdSlot(service.dial), site, eyes, rounds, progress)

    def _visit(
        self,
        rig: RemovalRig,
        slot: VpcdSlot,
        site: TrialSite,
        eyes: Eyes,
        rounds: int,
        progress: Callable[[str], None],
    ) -> None:
        card = make_card()
        rig.office.call()
        rig.until(TerminalState.WAITING_CARD)
        slot.insert(card)
        rig.until(TerminalState.OPEN)
        use(site, eyes)
        colour = site.colour
        for number in range(rounds):
            progress(f"removal {number + 1} of {rounds}")
            time.sleep(0.3 + random.uniform(0, _POLL))  # noqa: S311 # anywhere between two looks of pcscd
            self._moments.arm()
            hand = time.perf_counter()
            slot.remove()
            covered = self._moments.wait("covered")
            self.uncovered += eyes.pixel(*PLACE) == colour
            event, told = self._moments.wait("event"), self._moments.wait("told")
            self._note("hand -> reader's event", event - hand)
            self._note("reader's event -> agent told", told - event)
            self._note("agent told -> curtain answered", covered - told)
            self._note("reader's event -> curtain answered", covered - event)
            rig.until(TerminalState.CURTAINED)
            slot.insert(card)
            rig.until(TerminalState.OPEN)
            eyes.see(lambda: eyes.pixel(*PLACE) == colour)
            self._floor(rig)
            eyes.see(lambda: eyes.pixel(*PLACE) == colour)

    def _floor(self, rig: RemovalRig) -> None:
        """The bar alone, asked to cover the page."""
        box = rig.agent._effects.box
        assert box is not None
        began = time.perf_counter()
        box.curtain(True)  # noqa: FBT003 # the port's signature
        self._note("curtain alone (floor)", time.perf_counter() - began)
        box.curtain(False)  # noqa: FBT003 # the port's signature

    def _note(self, what: str, seconds: float) -> None:
        self.times.setdefault(what, []).append(seconds * _MS)

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        """Note when PC/SC first shows the card gone, the agent is told, and the bar says that it covers."""
        look, curtain, told = Link.look, Frame.curtain, Agent._told
        moments = self._moments

        def looking(link: Link, *given: Any) -> int:
            found = look(link, *given)
            if not is_present(found):
                moments.note("event")
            return found

        def covering(frame: Frame, down: bool) -> None:  # the port's signature
            curtain(frame, down)
            if down:
                moments.note("covered")

        def telling(agent: Agent, seen: Any) -> None:
            moments.note("told")
            told(agent, seen)

        for owner, name, new in ((Link, "look", looking), (Frame, "curtain", covering), (Agent, "_told", telling)):
            setattr(owner, name, new)
        try:
            yield
        finally:
            for owner, name, old in ((Link, "look", look), (Frame, "curtain", curtain), (Agent, "_told", told)):
                setattr(owner, name, old)


def make_card() -> VirtualCard:
    """A made-up person's card."""
    now = datetime.now(UTC)
    holder = Holder("架空 花子", "カクウ ハナコ", "架空県架空市一丁目1番1号", date(1980, 2, 29), Sex.FEMALE)
    pins = Pins(auth="1234", text="5678", basic="0000", sign="ABC123")
    return VirtualCard.make(holder, pins, CertificateAuthority.create(now), now, KeyKind.RSA2048)
