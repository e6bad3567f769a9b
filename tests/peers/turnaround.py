"""Turnaround, interleaved: card out -> the next person's page usable, for the box and its peers."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial

from peers.browsers import TIMED
from peers.counters import BoxCounter, Counter, config_of
from peers.eyes import Eyes
from peers.site import TrialSite
from terminal.box.xserver import XServer

PLACE = (1000, 700)
"""Where the eye looks: inside the page, away from its text."""
_HAND = (900, 600)
"""Where the hand clicks: away from where the eye looks, for the pointer is part of the picture."""

SPARE, COLD = "box with a spare", "box, cold"
Times = dict[str, dict[str, list[float]]]
"""Counter -> part -> milliseconds of each round."""

_MS = 1000


class Turnaround:
    """One display, one site, all counters; every round each of them in random order, from a fresh start."""

    def __init__(self) -> None:
        self.times: Times = {}

    def run(self, rounds: int, progress: Callable[[str], None]) -> None:
        """Measure."""
        with TrialSite() as site, XServer() as display, Eyes(display) as eyes:
            makers = _makers(site, display.display)
            for number in range(rounds):
                progress(f"round {number + 1} of {rounds}")
                order = list(makers)
                random.shuffle(order)
                for name in order:
                    with _closing(makers[name]()) as counter:
                        self._one(counter, site, eyes)

    def _one(self, counter: Counter, site: TrialSite, eyes: Eyes) -> None:
        site.expect()
        counter.first()
        use(site, eyes)
        time.sleep(random.uniform(0.3, 0.6))  # noqa: S311 # a visit is not over at once
        site.expect()
        began, clock = time.perf_counter(), time.time()
        counter.turn()
        seen, usable = use(site, eyes)
        self._note(counter.name, "painted", site.wait("/painted").at - began)
        self._note(counter.name, "on the screen", seen - began)
        self._note(counter.name, "usable", usable - began)
        if isinstance(counter, BoxCounter):
            for part, seconds in counter.times.items():
                self._note(counter.name, part, seconds)
            for part in ("processes_gone_at", "namespaces_empty_at", "space_gone_at"):
                seconds = datetime.fromisoformat(counter.proof[part]).timestamp() - clock
                self._note(counter.name, part.removesuffix("_at").replace("_", " "), seconds)

    def _note(self, counter: str, part: str, seconds: float) -> None:
        self.times.setdefault(counter, {}).setdefault(part, []).append(seconds * _MS)


def use(site: TrialSite, eyes: Eyes) -> tuple[float, float]:
    """Wait for the present visitor's page, and click; when it showed, and when the site got the click."""
    colour = site.colour
    seen = eyes.see(lambda: eyes.pixel(*PLACE) == colour)
    eyes.tap_until(*_HAND, lambda: site.first("/clicked") is not None)
    return seen, site.wait("/clicked").at


def _makers(site: TrialSite, display: str) -> dict[str, Callable[[], Counter]]:
    makers: dict[str, Callable[[], Counter]] = {
        SPARE: partial(BoxCounter, site, display, spare=True),
        COLD: partial(BoxCounter, site, display, spare=False),
    }
    for peer in TIMED:
        makers[peer.name] = partial(peer, config_of(display), site.start)
    return makers


@contextmanager
def _closing(counter: Counter) -> Iterator[Counter]:
    with ExitStack() as stack:
        stack.callback(counter.close)
        yield counter
