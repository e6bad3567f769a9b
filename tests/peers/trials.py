"""The two trials: is the next visitor taken for the one before (B is A), and what is left of the one before."""

import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from madoguchi.terminal.boxconfig import INPUT_METHOD
from peers import search
from peers.acts import input_method, japanese_keys, plant
from peers.browsers import Peer
from peers.counters import BoxCounter, Counter, config_of
from peers.eyes import Eyes
from peers.search import Found, Marks
from peers.site import TrialSite
from peers.turnaround import PLACE, use
from terminal.box.xserver import XServer

WRITTEN = 40.0
"""Seconds after which a browser has written cookies and local storage to its disk: a visit is longer than that."""

_METHOD = INPUT_METHOD if shutil.which(INPUT_METHOD) else ""

Kind = type[Peer] | None
"""A kind of peer, or our box."""


@dataclass
class Left:
    """What one marker trial came to. `planted`: the search saw it while the visitor was there."""

    name: str
    planted: list[Found] = field(default_factory=list)
    left: list[Found] = field(default_factory=list)
    display: list[Found] = field(default_factory=list)
    """In the display server's own memory: pixels and names of windows that are gone."""


def b_is_a(kind: Kind, *, stay: float = 0.0) -> set[str]:
    """Let A log in, take the turn, and see by what the site takes B for A; empty: it does not."""
    with (
        TrialSite(secure=True) as site,
        XServer() as screen,
        Eyes(screen) as eyes,
        _counter(kind, site, screen) as counter,
    ):
        site.expect(login="A-taro")
        counter.first()
        use(site, eyes)
        site.wait("/stored")
        time.sleep(stay)
        site.expect()
        counter.turn()
        colour = site.colour
        eyes.see(lambda: eyes.pixel(*PLACE) == colour)
        site.wait("/painted")
        return site.taken_for()


def markers(kind: Kind, *, crash: bool, stay: float = 0.0, secure: bool = True) -> Left:
    """Let A leave planted texts everywhere, take the turn, and look for them.

    Without `secure` what A sends goes in the clear through whatever lies between browser and site.
    """
    marks, since = Marks(), time.time()
    with TrialSite(secure=secure) as site, XServer() as screen, _cores(), _counter(kind, site, screen) as counter:
        left = Left(counter.name)
        japanese_keys(screen)
        site.expect(prefix=marks.prefix)
        method = _sit_down(counter, screen)
        plant(site, screen, marks, method=method)
        time.sleep(stay)
        left.planted = search.memory(marks, spared={os.getpid()})
        if crash:
            counter.crash()
        site.expect()
        counter.turn()
        site.wait("/painted")
        server = screen._process.pid
        left.left = search.files(marks, since) + search.memory(marks, spared={os.getpid(), server})
        left.left += search.display(marks, screen)
        left.display = [Found("memory of the display", *one) for one in search.of_process(marks, server)]
    return left


def _sit_down(counter: Counter, screen: XServer) -> bool:
    """A's first moment; whether the Japanese input method is there."""
    method = bool(_METHOD)
    if isinstance(counter, Peer):
        method = input_method(counter.home, screen)
    counter.first()
    return method


@contextmanager
def _counter(kind: Kind, site: TrialSite, screen: XServer) -> Iterator[Counter]:
    counter: Counter
    if kind is None:
        counter = BoxCounter(site, screen.display, spare=True, method=_METHOD)
    else:
        counter = kind(config_of(screen.display), site.start, authority=site.authority)
    try:
        yield counter
    finally:
        counter.close()


@contextmanager
def _cores() -> Iterator[None]:
    """Core dumps on, as plain files if the machine lets us say so; as it was afterwards."""
    pattern = Path("/proc/sys/kernel/core_pattern")
    limits, said = resource.getrlimit(resource.RLIMIT_CORE), pattern.read_text()
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
    changed = said.startswith("|") and os.access(pattern, os.W_OK)
    if changed:
        pattern.write_text("core")
    try:
        yield
    finally:
        if changed:
            pattern.write_text(said)
        resource.setrlimit(resource.RLIMIT_CORE, limits)
