"""Erasing for good: what was erased cannot be opened by any key left, everything else still opens."""

from datetime import date
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from madoguchi.evidence.errors import SealBroken
from madoguchi.server import keyring
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import seed_training_city
from madoguchi.server.errors import Forbidden, NotYours
from madoguchi.server.ledger import erasing, payloads
from madoguchi.server.ledger.erasing import Reason
from madoguchi.server.ledger.models import Erasure, Payload
from server.ledger.erasing_support import OTHER, PERSON, all_open, erase_person, key_bytes, opens_with, stated, stock
from server.seat import Seat, ticket


def test_an_erasure_removes_the_row_and_the_key(folder: Path) -> None:
    gone, kept = stock(), stock(OTHER)
    copies = [(row.pk, bytes(row.wrapped), bytes(row.sealed)) for row in erasing.of_visit(PERSON)]
    before = key_bytes()
    assert all(opens_with(before, *copy) for copy in copies)
    report = erase_person()
    assert report.erased == {"signature": 1, "words": 1, "rejected": 1}
    assert not any(opens_with(key_bytes(), *copy) for copy in copies)
    assert set(Payload.objects.values_list("commitment", flat=True)) == set(kept)
    assert set(Erasure.objects.values_list("commitment", flat=True)) == set(gone)
    assert all_open() == 3
    assert sorted(file.name for file in folder.iterdir()) == ["0002.key", "destroyed", "lock"]
    assert report.change is not None
    assert (report.change.rewrapped, report.change.strays) == (3, ())
    assert report.residue is not None
    assert report.residue.clear


def test_what_was_erased_and_the_new_key_stand_in_the_log(folder: Path) -> None:
    gone = stock()
    first = keyring.current().id.hex()
    erase_person()
    said = [(one["body"]["kind"], one["body"]["commitments"], one["visit"]) for one in stated("payload_erased")]
    kinds = ("signature", "words", "rejected")
    assert sorted(said) == sorted((kind, [one], str(PERSON)) for kind, one in zip(kinds, gone, strict=True))
    assert {one["body"]["reason"] for one in stated("payload_erased")} == {"request"}
    change = {"old": [first], "new": keyring.current().id.hex(), "rewrapped": 0}
    assert [one["body"] for one in stated("key_changed")] == [change]
    assert folder.exists()


def test_only_what_is_due_goes(folder: Path) -> None:
    stock(count=6)
    days = sorted({row.erase_on for row in Payload.objects.all()})
    assert len(days) == 2
    assert not erasing.due(date(days[0].year, 3, 31)).exists()
    report = erasing.erase(chosen=erasing.due(days[0]), reason=Reason.DUE)
    assert report.erased == {"rejected": 2}
    assert all_open() == 4
    assert {one["body"]["reason"] for one in stated("payload_erased")} == {"due"}
    assert folder.exists()


def test_nothing_to_erase_changes_no_key(folder: Path) -> None:
    stock(OTHER)
    before = keyring.current()
    report = erase_person()
    assert (report.erased, report.change) == ({}, None)
    assert keyring.current() == before
    assert folder.exists()


def test_erasing_twice_erases_once(folder: Path) -> None:
    stock()
    chosen = erasing.of_visit(PERSON)
    erasing.erase(chosen=chosen, reason=Reason.DUE)
    assert erasing.erase(chosen=chosen.all(), reason=Reason.DUE).erased == {}
    assert Erasure.objects.count() == 3
    assert len(stated("payload_erased")) == 3
    assert folder.exists()


def test_only_an_officer_of_the_place_erases(folder: Path) -> None:
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    seat = Seat(city.terminals[0], Client())
    visit = ticket(seat, Staff.objects.get(username="honcho-1"))
    stock(visit.pk)
    chosen = erasing.of_visit(visit.pk)
    for name in ("honcho-1", "auditor"):
        with pytest.raises(Forbidden):
            erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username=name))
    Staff.objects.filter(username="officer").update(site=city.sites[1])
    with pytest.raises(NotYours):
        erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username="officer"))
    assert all_open() == 3
    Staff.objects.filter(username="officer").update(site=city.sites[0])
    erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username="officer"))
    assert {row.by for row in Erasure.objects.all()} == {"officer"}
    assert {one["staff"] for one in stated("payload_erased")} == {"officer"}
    assert folder.exists()


def test_no_erasing_inside_a_transaction_that_could_be_rolled_back(folder: Path) -> None:
    stock()
    with pytest.raises(RuntimeError), transaction.atomic():
        erase_person()
    assert all_open() == 3
    assert folder.exists()


def test_more_rows_than_a_batch_are_wrapped_anew(folder: Path) -> None:
    with transaction.atomic():
        stock(OTHER, 450)
    stock()
    report = erase_person()
    assert report.change is not None
    assert report.change.rewrapped == 450
    assert all_open() == 450
    assert folder.exists()


def test_a_row_that_does_not_open_keeps_its_key_from_being_destroyed(folder: Path) -> None:
    stock()
    row = Payload.objects.get(commitment=stock(OTHER, 1)[0])
    raw = bytearray(row.wrapped)
    raw[-1] ^= 1
    Payload.objects.filter(pk=row.pk).update(wrapped=bytes(raw))
    with pytest.raises(SealBroken):
        erase_person()
    assert len(keyring.read()) == 2
    assert erasing.unfinished()
    raw[-1] ^= 1
    Payload.objects.filter(pk=row.pk).update(wrapped=bytes(raw))
    report = erase_person()
    assert report.erased == {}
    assert report.change is not None
    assert not erasing.unfinished()
    assert all_open() == 1
    assert len([file for file in folder.iterdir() if file.suffix == ".key"]) == 1


def test_rows_under_a_key_that_is_gone_hold_up_no_erasure(folder: Path) -> None:
    """As after a restore of an older database."""
    lost = Payload.objects.get(commitment=stock(OTHER, 1)[0])
    old = bytes(lost.wrapped)
    erasing.change_key()
    Payload.objects.filter(pk=lost.pk).update(wrapped=old)
    stock()
    assert erase_person().erased == {"signature": 1, "words": 1, "rejected": 1}
    with pytest.raises(keyring.WrappingKeyMissing):
        payloads.open_payload(Payload.objects.get(pk=lost.pk))
    assert folder.exists()


def test_an_old_key_that_was_put_back_is_named_and_destroyed(folder: Path) -> None:
    stock(OTHER)
    old = keyring.current()
    saved = old.path.read_bytes()
    erasing.change_key()
    old.path.write_bytes(saved)
    assert erasing.unfinished()
    report = erase_person()
    assert report.change is not None
    assert report.change.strays == ("0001.key",)
    assert not old.path.exists()
    assert all_open() == 3
    assert folder.exists()


def test_a_row_read_before_the_change_opens_after_it(folder: Path) -> None:
    stock(OTHER)
    read = list(Payload.objects.all())
    erasing.change_key()
    assert [payloads.open_payload(row)[1]["text"] for row in read]
    assert folder.exists()
