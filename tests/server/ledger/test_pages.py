"""The evidence pages without a browser: overview, checkpoints, "verify now", and who may see what."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from madoguchi.evidence import note
from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, log, views
from madoguchi.server.ledger.models import Checkpoint, Entry, Payload, Tile
from madoguchi.server.ledger.signer import origin, signer
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import (
    change,
    decoded,
    place_of,
    printed,
    seen,
    superuser,
)
from server.seat import Enter, People, Seat, text, ticket


@pytest.fixture
def bound(enter: Enter, city: City, visit: Visit) -> Client:
    """An officer of the second site alone; the visit stands at the first."""
    assert visit.site == city.sites[0]
    Staff.objects.filter(username="officer").update(site=city.sites[1])
    return enter("officer")


def no_log() -> None:
    """As on the first day, before the integrator's first round."""
    for statement in ("DELETE FROM ledger_tile", "DELETE FROM ledger_checkpoint", "DELETE FROM ledger_position"):
        superuser(statement)
    superuser("UPDATE ledger_cursor SET size = 0, floor = 0, xid = 0, entry = 0")


# Overview and checkpoints


def test_the_overview_shows_the_newest_checkpoint_as_text_and_as_a_qr_code_of_the_same_text(
    officer: Client, visit: Visit
) -> None:
    assert visit.pk
    page = seen(officer, "evidence")
    newest = log.newest()
    assert decoded(page) == printed(page) == newest.note
    assert f"<strong>{newest.size}</strong> 件" in page


def test_an_empty_log_is_said_to_be_empty(officer: Client, visit: Visit) -> None:
    no_log()
    for name in ("evidence", "evidence_checkpoints"):
        page = seen(officer, name)
        assert "まだありません" in page
        assert "qr-code" not in page
    page = seen(officer, "evidence_visit", visit.pk)
    assert "チェックポイント待ち" in page
    assert "合いません" not in page
    page = seen(officer, "receipt", visit.pk)
    assert "まだチェックポイントに入っていません" in page
    assert "qr-code" not in page
    seen(officer, "evidence_note", 0, status=404)


def test_a_forged_checkpoint_is_not_taken_for_ours(officer: Client, visit: Visit) -> None:
    other = log.newest().note.replace("\n", "\nx", 1)
    superuser("UPDATE ledger_checkpoint SET note = %s WHERE size = %s", other, log.newest().size)
    assert "この窓口の鍵で署名されていません" in seen(officer, "evidence")
    page = seen(officer, "evidence_visit", visit.pk)
    assert "この窓口の鍵で署名されていない" in page
    assert "足りないものがあります" in page
    assert "qr-code" not in seen(officer, "receipt", visit.pk)


def test_checkpoints_are_listed_and_given_out_as_files(officer: Client, visit: Visit) -> None:
    assert visit.pk
    newest = log.newest()
    assert f"checkpoint-{newest.size}.note" in seen(officer, "evidence_checkpoints")
    answer = officer.get(reverse("evidence_note", args=[newest.size]))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == newest.note


def test_checkpoints_come_in_pages_without_a_gap(
    officer: Client, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        officer.post(reverse("evidence_visit_export", args=[visit.pk])).getvalue()
    integrator.settle()
    monkeypatch.setattr(views, "_PAGE", 2)
    found: list[int] = []
    query: dict[str, str] | None = {}
    while query is not None:
        page = seen(officer, "evidence_checkpoints", query=query)
        found += [int(size) for size in re.findall(r">checkpoint-(\d+)\.note", page)]
        older = re.search(r"\?before=(\d+)", page)
        query = {"before": older[1]} if older else None
    assert found == list(Checkpoint.objects.order_by("-size").values_list("size", flat=True))
    assert len(found) >= 5


@pytest.mark.parametrize("number", [10**6, 2**63, 10**30])
def test_places_and_sizes_that_do_not_exist_are_not_found(officer: Client, visit: Visit, number: int) -> None:
    assert visit.pk
    seen(officer, "evidence_entry", number, status=404)
    seen(officer, "evidence_note", number, status=404)


# Comparing with an old checkpoint


def test_an_old_checkpoint_is_compared_however_it_comes_and_that_is_stated(
    officer: Client, visit: Visit, seat: Seat, staff: People
) -> None:
    assert visit.pk
    old = log.newest().note
    ticket(seat, staff("honcho-1"))
    answer = officer.post(reverse("evidence_anchor"), {"note": old.replace("\n", "\r\n")})
    assert "合っています" in text(answer)
    answer = officer.post(reverse("evidence_anchor"), {"file": SimpleUploadedFile("old.note", old.encode())})
    assert "合っています" in text(answer)
    assert Entry.objects.filter(kind="checkpoint_compared").count() == 2


def test_a_log_that_was_written_anew_does_not_fit_the_old_checkpoint(officer: Client, visit: Visit) -> None:
    old = log.newest()
    place = place_of(visit, EventKind.END)
    tile = Tile.objects.get(level=0, number=place // 256)
    hashes = bytearray(tile.hashes)
    hashes[place % 256 * 32] ^= 1
    superuser("UPDATE ledger_tile SET hashes = %s WHERE id = %s", bytes(hashes), tile.pk)
    forged = note.Checkpoint(origin(), old.size, log.tree(old.size).root())
    signed = note.sign(forged.text(), origin(), signer().key)
    superuser("UPDATE ledger_checkpoint SET note = %s WHERE size = %s", signed, old.size)
    answer = officer.post(reverse("evidence_anchor"), {"note": old.note})
    assert "合いません" in text(answer)


@pytest.mark.parametrize("given", ["", "何かの文字", "a\n1\nAAAA\n\n— a b\n"])
def test_what_is_no_checkpoint_is_refused_with_words(officer: Client, visit: Visit, given: str) -> None:
    assert visit.pk
    answer = officer.post(reverse("evidence_anchor"), {"note": given})
    assert answer.status_code == 400
    assert 'role="alert"' in text(answer)
    assert not Entry.objects.filter(kind="checkpoint_compared").exists()


# Verify now


def test_verify_now_says_that_everything_holds(officer: Client, visit: Visit) -> None:
    assert visit.pk
    assert "全部合っています" not in seen(officer, "evidence_verify")
    page = text(officer.post(reverse("evidence_verify")))
    assert "全部合っています" in page
    assert f"{log.size()} 件の記録" in page


def test_verify_now_says_what_does_not_hold_and_where(officer: Client, visit: Visit) -> None:
    place = place_of(visit, EventKind.END)
    change(visit, EventKind.END, b'"finish"', b'"idle"')
    page = text(officer.post(reverse("evidence_verify")))
    assert "合わないものがあります" in page
    assert "記録の署名が、内容と合いません" in page
    assert f'<a href="/evidence/entries/{place}/">記録 {place}</a>' in page


def test_a_log_too_large_for_a_page_is_left_to_the_command(
    officer: Client, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visit.pk
    monkeypatch.setattr(views, "MOST_TO_VERIFY", 3)
    page = text(officer.post(reverse("evidence_verify")))
    assert "madoguchi evidence verify" in page
    assert "全部合っています" not in page


@pytest.mark.parametrize("name", ["evidence_verify", "evidence_export"])
def test_what_concerns_every_site_is_not_for_people_of_one(bound: Client, name: str) -> None:
    assert bound.get(reverse(name)).status_code == 403
    answer = bound.post(reverse(name), {"what": "whole"})
    assert answer.status_code == 403
    assert "すべての拠点" in text(answer)
    assert not Entry.objects.filter(kind="evidence_exported").exists()


# Who sees what


def test_entries_of_another_site_do_not_exist(bound: Client, visit: Visit) -> None:
    for kind in (EventKind.ISSUE, EventKind.END):
        seen(bound, "evidence_entry", place_of(visit, kind), status=404)
    seen(bound, "evidence_visit", visit.pk, status=404)
    today = clock.today().isoformat()
    assert "ありません。期間や条件" in seen(bound, "evidence_search", query={"begin": today, "end": today})


def test_what_the_office_states_of_no_site_is_for_people_of_all_sites(
    officer: Client, visit: Visit, enter: Enter, city: City
) -> None:
    officer.post(reverse("evidence_anchor"), {"note": log.newest().note})
    integrator.settle()
    assert visit.pk
    entry = Entry.objects.get(kind="checkpoint_compared")
    place = log.position_of(entry.pk)
    assert "合っている" in seen(officer, "evidence_entry", place)
    Staff.objects.filter(username="officer").update(site=city.sites[0])
    seen(enter("officer"), "evidence_entry", place, status=404)


@pytest.mark.parametrize("username", ["honcho-1", "callcentre"])
def test_the_navigation_shows_the_evidence_to_those_who_may(enter: Enter, username: str) -> None:
    assert "/evidence/" not in seen(enter(username), "counters").replace("/evidence/daily/", "")
    assert 'href="/evidence/"' in seen(enter("auditor"), "counters")


def test_no_script_or_style_stands_in_a_page(officer: Client, visit: Visit) -> None:
    payload = Payload.objects.get(visit=visit.pk, kind="signature")
    pages = [
        seen(officer, "evidence"),
        seen(officer, "evidence_visit", visit.pk),
        seen(officer, "receipt", visit.pk),
        seen(officer, "daily", "honcho", clock.today().isoformat()),
        text(officer.post(reverse("evidence_payload", args=[payload.pk]))),
    ]
    for page in pages:
        assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", page) == []
        assert re.findall(r'(?:src|href)="(?!/|#|\?)', page) == []
