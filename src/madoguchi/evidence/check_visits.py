"""The chain of every visit, and the numbers of its statements. Takes facts in order of position.

A visit's statements count by their number, not by their place in the log: two that were written at the same moment may
stand there the other way round. What is remembered of a closed visit is one number.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from madoguchi.evidence.facts import Fact
from madoguchi.evidence.verdict import Verdict

_NEEDED = ("call", "end", "wipe_proven", "confirm")
_CHAIN = frozenset({"call", "bind_card", "end", "wipe_proven", "attest_wipe", "confirm", "close"})


@dataclass(slots=True)
class _Open:
    """A visit that is not closed. `ahead`: (kind, carries, position) of numbers that came before their time."""

    due: int = 1
    links: set[str] = field(default_factory=set)
    ahead: dict[int, tuple[str, bool, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Visits:
    """`named`: visits that must be there from their first statement on; `whole`: that is so for all."""

    verdict: Verdict
    whole: bool
    named: Collection[str] = ()
    _open: dict[str, _Open] = field(default_factory=dict)
    _closed: dict[str, int] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        """One trusted statement. A device's without a number was not taken for the visit, and is passed over."""
        if fact.visit is None or fact.order is None:
            return
        if fact.noted is not None and fact.noted != fact.order:
            self.verdict.found("visit_number", fact.position, fact.visit, said=fact.order, noted=fact.noted)
        visit = self._open.get(fact.visit)
        if visit is None:
            visit = self._open[fact.visit] = _Open(self._closed.get(fact.visit, 1))
        if fact.order < visit.due or fact.order in visit.ahead:
            self.verdict.found("visit_repeat", fact.position, fact.visit, number=fact.order)
        else:
            visit.ahead[fact.order] = (fact.kind, fact.carries, fact.position)
        self._advance(fact.visit, visit)
        if fact.visit in self._closed and not visit.ahead:
            del self._open[fact.visit]

    def _advance(self, name: str, visit: _Open) -> None:
        while visit.due in visit.ahead:
            kind, carries, position = visit.ahead.pop(visit.due)
            visit.due += 1
            if name in self._closed:
                self._closed[name] = visit.due
                if kind in _CHAIN:
                    self.verdict.found("after_close", position, name, kind=kind)
            elif kind == "withdraw":
                self._withdraw(name, visit, position)
            elif kind == "close":
                self._close(name, visit, position)
            else:
                _link(visit.links, kind, carries=carries)

    def _close(self, name: str, visit: _Open, position: int) -> None:
        missing = [link for link in _NEEDED if link not in visit.links]
        if missing:
            self.verdict.found("chain", position, name, missing=", ".join(missing))
        visit.links.clear()
        self._closed[name] = visit.due

    def _withdraw(self, name: str, visit: _Open, position: int) -> None:
        if "bind_card" in visit.links:
            self.verdict.found("withdrawn_bound", position, name)
        self._closed[name] = visit.due

    def finish(self) -> None:
        """After the last statement: numbers that are missing, visits that are open."""
        for name in self.named:
            if name not in self._open and name not in self._closed:
                self.verdict.found("visit_absent", None, name)
        waiting = 0
        for name, visit in self._open.items():
            if visit.ahead:
                self._holes(name, visit)
            waiting += name not in self._closed
        if waiting:
            self.verdict.note("visit_open", count=waiting)

    def _holes(self, name: str, visit: _Open) -> None:
        """Go on behind every hole: numbers may begin late in a part of the log, but never stop in between."""
        first = min(visit.ahead)
        if visit.due == 1 and name not in self.named and not self.whole:
            self.verdict.note("visit_began_before", None, name, first=first)
            # what came before is unknown: taken as in order, so that the rest is checked
            visit.links = set(_NEEDED)
            visit.due = first
            self._advance(name, visit)
        while visit.ahead:
            following = min(visit.ahead)
            self.verdict.found("visit_gap", None, name, first=visit.due, last=following - 1)
            visit.due = following
            self._advance(name, visit)


def _link(links: set[str], kind: str, *, carries: bool) -> None:
    """Add a link where it stands in order and carries its proof; some acts undo what was there."""
    if kind == "call":
        links.clear()
        links.add("call")
    elif kind == "return_to_queue":
        links.clear()
    elif kind == "bind_card" and "call" in links:
        links.add("bind_card")
    elif kind == "end" and carries and "call" in links:
        links.add("end")
    elif kind in ("wipe_proven", "attest_wipe") and carries:
        _wiped(links, attested=kind == "attest_wipe")
    elif kind == "wipe_failed":
        links -= {"wipe_proven", "confirm"}
    elif kind == "confirm" and carries and "wipe_proven" in links:
        links.add("confirm")


def _wiped(links: set[str], *, attested: bool) -> None:
    """An officer who takes a silent machine away ends the visit with it (protocol: serving, attest_wipe)."""
    if attested and "bind_card" in links:
        links.add("end")
    if "end" in links:
        links.add("wipe_proven")
