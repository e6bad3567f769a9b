"""Reading the log: entries, proofs, what belongs to a visit."""

from collections.abc import Callable

import pytest

from madoguchi.evidence import leaf
from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import check_consistency, check_inclusion, leaf_hash
from madoguchi.server.ledger import integrator, log, statements
from madoguchi.server.ledger.errors import LogEmpty
from madoguchi.server.ledger.models import Checkpoint, Entry
from madoguchi.server.ledger.types import NotInTheList
from madoguchi.server.visits.models import VisitEvent
from server.ledger.support import fill
from server.seat import People, Seat, serve, ticket

pytestmark = pytest.mark.django_db


def test_every_entry_has_its_proof_in_every_checkpoint_over_it() -> None:
    for count in (1, 5, 300, 7):
        fill(count)
        integrator.settle()
    sizes = list(Checkpoint.objects.order_by("size").values_list("size", flat=True))
    hashes = [leaf_hash(raw) for _, raw in log.entries()]
    assert len(hashes) == sizes[-1]
    for size in sizes:
        root = log.parsed(log.checkpoint_at(size)).root
        for position in {0, size // 2, size - 1}:
            check_inclusion(position, size, hashes[position], log.inclusion(position, size), root)
            with pytest.raises(ProofBroken):
                check_inclusion(position, size, leaf_hash(b"other"), log.inclusion(position, size), root)
        newest = log.parsed(log.newest())
        check_consistency(size, newest.size, root, newest.root, log.consistency(size))
    assert log.covering(sizes[1]).size == sizes[2]


def test_entries_come_in_pages_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(50)
    integrator.settle()
    end = log.size()
    everything = list(log.entries())
    assert [position for position, _ in everything] == list(range(end))
    monkeypatch.setattr(log, "PAGE", 7)
    assert list(log.entries()) == everything
    assert list(log.entries(13, 29)) == everything[13:29]
    assert list(log.entries(5, 5)) == []


def test_what_is_not_there_is_refused_by_name() -> None:
    missings: list[Callable[[], object]] = [log.newest, lambda: log.checkpoint_at(4), lambda: log.covering(0)]
    for missing in missings:
        with pytest.raises(LogEmpty) as refusal:
            missing()
        assert refusal.value.sentence
    assert log.position_of(10**9) is None


def test_a_visit_leaves_its_chain_in_the_log(seat: Seat, staff: People) -> None:
    """Each event has one entry, written with it: the same words, the signer's key and signature."""
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    seat.sign()
    events = list(VisitEvent.objects.filter(visit=visit).order_by("seq"))
    found = log.entries_of_visit(visit.pk)
    assert [entry.event for _, entry in found] == [event.pk for event in events]
    assert [position for position, _ in found] == [None] * len(events)
    integrator.settle()
    places = [position for position, _ in log.entries_of_visit(visit.pk)]
    assert places == sorted(place for place in places if place is not None)
    for (_, entry), event in zip(found, events, strict=True):
        read = leaf.read(bytes(entry.leaf))
        assert read.signature == event.signature
        assert (read.statement["kind"], read.received["order"]) == (event.kind, event.seq)
        if event.message is not None:
            assert read.statement == event.message
            assert event.device is not None
            assert read.key == event.device.public_key
            assert read.received["skew"] == event.skew


def test_a_statement_of_the_office(staff: People, seat: Seat) -> None:
    entry = Entry.objects.get(
        pk=statements.state(
            kind="code_issued", body={"old_machine_off": True}, staff=staff("officer"), terminal=seat.terminal
        )
    )
    said = leaf.read(bytes(entry.leaf)).statement
    assert (said["by"], said["staff"], said["terminal"]) == ("city_officer", "officer", str(seat.terminal.pk))
    assert (entry.kind, entry.terminal, entry.event) == ("code_issued", seat.terminal.pk, None)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("no_such_kind", {}),
        ("clock_off", {"words": 1}),
        ("code_issued", {}),
        ("message_rejected", {"raw": "open words"}),
    ],
)
def test_what_the_list_does_not_have_is_not_stated(kind: str, body: dict[str, object]) -> None:
    before = Entry.objects.count()
    with pytest.raises(NotInTheList):
        statements.state(kind=kind, body=body)
    assert Entry.objects.count() == before
