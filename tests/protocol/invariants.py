"""The invariants I1-I5 of the design, over the whole world; I6 and I7 are held where messages arrive and boxes end."""

from typing import TYPE_CHECKING

from madoguchi.protocol import EventKind, TerminalState, Verdict, VisitState
from protocol.world import Entry

if TYPE_CHECKING:
    from protocol.acts import Acts

BOXED = {TerminalState.OPEN, TerminalState.CURTAINED, TerminalState.ENDING, TerminalState.QUARANTINED}


class Broken(AssertionError):
    """An invariant does not hold; `name` is its number in the design, or `wrong` for a wrong registration."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


def must(holds: bool, name: str, what: str) -> None:  # reads like an assertion
    if not holds:
        raise Broken(name, what)


def i1_one_visit_per_terminal(p: "Acts") -> None:
    must(len(p.office.standing()) <= 1, "I1", "two visits hold the terminal")


def i2_a_box_only_for_its_card(p: "Acts") -> None:
    box = p.counter.box
    if box is None:
        return
    visit = p.office.visits[box.visit]
    must(p.counter.journal.state in BOXED, "I2", f"a box while {p.counter.journal.state}")
    must(visit.state in (VisitState.SERVING, VisitState.ENDING), "I2", f"a box while the visit is {visit.state}")
    must(visit.card_tag == box.card, "I2", "the box is for another card than the visit")
    if p.counter.up and p.visible() and not p.noticed:
        must(p.reader == box.card, "I2", f"box of {box.card} shown with {p.reader} on the reader")


def i4_nothing_left_when_called(p: "Acts") -> None:
    if p.standing(VisitState.CALLED):
        must(p.counter.box is None, "I4", "called to a terminal with a box")


def i5_closed_with_its_chain(p: "Acts") -> None:
    for name, visit in p.office.visits.items():
        if visit.state is VisitState.CLOSED:
            chain = [entry for entry in p.office.records if entry.visit == name]
            must(chain_is_whole(chain), "I5", f"{name} closed after {[str(entry.kind) for entry in chain]}")


def check(p: "Acts") -> None:
    """All of them."""
    i1_one_visit_per_terminal(p)
    i2_a_box_only_for_its_card(p)
    i4_nothing_left_when_called(p)
    i5_closed_with_its_chain(p)


def chain_is_whole(entries: list[Entry]) -> bool:
    """I5: called, card bound (or ended before that), ended, wiped, confirmed, closed, in this order."""
    kinds = [entry.kind for entry in entries if entry.verdict is Verdict.ACCEPTED]
    needed = [
        {EventKind.CALL},
        {EventKind.END, EventKind.ATTEST_WIPE} if EventKind.BIND_CARD not in kinds else {EventKind.BIND_CARD},
        {EventKind.END, EventKind.ATTEST_WIPE},
        {EventKind.WIPE_PROVEN, EventKind.ATTEST_WIPE},
        {EventKind.CONFIRM},
        {EventKind.CLOSE},
    ]
    place = 0
    for wanted in needed:
        found = next((i for i in range(place, len(kinds)) if kinds[i] in wanted), None)
        if found is None:
            return False
        place = found
    return True
