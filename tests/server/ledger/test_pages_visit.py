"""A visit's evidence page without a browser: its chain whole, open, changed, cut, swapped, erased."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.test import Client
from django.urls import reverse

from madoguchi.evidence import envelope, leaf
from madoguchi.evidence.keys import public_text
from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, payloads
from madoguchi.server.ledger.models import Entry, Erasure, Payload, Tile
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import (
    change,
    closed_visit,
    entry_of,
    links,
    place_of,
    seen,
    superuser,
)
from server.seat import TAG, People, Seat, serve, text, ticket

WHOLE = ["呼び出し", "カード確認", "終了・消去開始", "消去の証明", "ログアウト確認", "終了"]


def test_a_closed_visit_has_its_whole_chain_checked_and_proven(officer: Client, visit: Visit) -> None:
    page = seen(officer, "evidence_visit", visit.pk)
    assert links(page) == [(f"{label} あり", "sound") for label in WHOLE]
    assert "つながっています" in page
    assert "閲覧ソフトの箱を消したことを証明しました" in page
    assert page.count("署名が合う") == page.count("チェックポイントに入っている") == 7
    assert "(honcho-1)" in page


def test_an_open_visit_misses_nothing_yet(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    integrator.settle()
    page = seen(officer, "evidence_visit", visit.pk)
    assert [state for _, state in links(page)] == ["sound", "sound", "open", "open", "open", "open"]
    assert "ここまでは、つながっています" in page
    assert "消去の証明はまだありません" in page


def test_a_withdrawn_visit_needs_no_box(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    services.withdraw(visit=visit, staff=staff("honcho-1"), reason="気が変わった")
    integrator.settle()
    page = seen(officer, "evidence_visit", visit.pk)
    assert links(page) == [("受付 あり", "sound"), ("取りやめ あり", "sound")]
    assert "気が変わった" in page


def test_an_attested_visit_says_who_saw_to_it(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    moment = clock.now() + timedelta(minutes=30)
    with clock.running_on(lambda: moment):
        services.attest_wipe(visit=visit, staff=staff("officer"), proof="電源を切った", reason="故障")
    integrator.settle()
    page = seen(officer, "evidence_visit", visit.pk)
    assert "市職員が端末の撤去を確認しました" in page
    assert ("端末の撤去を確認 あり", "sound") in links(page)


def test_a_wipe_that_failed_is_no_proof(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    seat.report(EventKind.WIPE_FAILED, {"failure": "まだ動いている"})
    integrator.settle()
    page = seen(officer, "evidence_visit", visit.pk)
    assert "端末は消去を証明できませんでした" in page
    assert "証明しました" not in page


def test_training_is_no_proof(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.report(EventKind.WIPE_PROVEN, {"proof": {"training": True}})
    integrator.settle()
    assert "本物の消去の証明ではありません" in seen(officer, "evidence_visit", visit.pk)


def test_a_changed_entry_is_shown_as_changed(officer: Client, visit: Visit) -> None:
    change(visit, EventKind.WIPE_PROVEN, b'"unmounted"', b'"namespace"')
    page = seen(officer, "evidence_visit", visit.pk)
    assert dict(links(page))["消去の証明 合わない"] == "faulty"
    assert "足りないものがあります" in page
    assert "記録の内容が、書いたときのものと違います" in page
    assert "記録の署名が、内容と合いません" in page
    assert "証明とはみなせません" in page
    page = seen(officer, "evidence_entry", place_of(visit, EventKind.WIPE_PROVEN))
    assert "署名された内容" in page
    assert page.count("記録の内容が、書いたときのものと違います") == 2
    assert "まだ証明できていません" in seen(officer, "receipt", visit.pk)


def test_a_neighbours_changed_hash_is_not_blamed_on_the_entry(officer: Client, visit: Visit) -> None:
    tile = Tile.objects.get(level=0, number=0)
    place = place_of(visit, EventKind.END)
    hashes = bytearray(tile.hashes)
    hashes[(place ^ 1) * 32] ^= 1
    superuser("UPDATE ledger_tile SET hashes = %s WHERE id = %s", bytes(hashes), tile.pk)
    page = seen(officer, "evidence_entry", place)
    assert "記録全体から計算した値が、署名済みのチェックポイントと違います" in page
    assert "書いたときのものと違います" not in page
    superuser("UPDATE ledger_tile SET hashes = %s WHERE id = %s", b"", tile.pk)
    assert "ハッシュの表が消えているか" in seen(officer, "evidence_entry", place)


def test_an_entry_signed_by_somebody_else_is_shown_so(officer: Client, visit: Visit) -> None:
    row = Entry.objects.get(pk=entry_of(visit, EventKind.END))
    said = leaf.read(bytes(row.leaf))
    stranger = Ed25519PrivateKey.generate()
    signature = envelope.sign(said.statement, stranger)
    forged = leaf.make(key=public_text(stranger), signature=signature, statement=said.statement, received=said.received)
    superuser("UPDATE ledger_entry SET leaf = %s WHERE id = %s", forged, row.pk)
    page = seen(officer, "evidence_entry", place_of(visit, EventKind.END))
    assert "この窓口のものではない鍵" in page
    assert "この窓口のだれの鍵でもありません" in page
    assert "署名が、内容と合いません" not in page


def test_an_entry_that_is_gone_leaves_a_hole_that_is_seen(officer: Client, visit: Visit) -> None:
    superuser("DELETE FROM ledger_entry WHERE id = %s", entry_of(visit, EventKind.END))
    page = seen(officer, "evidence_visit", visit.pk)
    assert dict(links(page))["終了・消去開始 ありません"] == "missing"
    assert "この対応の 4 番目の記録がありません" in page


def test_the_end_of_the_chain_cannot_be_cut_off_unseen(officer: Client, visit: Visit) -> None:
    superuser("DELETE FROM ledger_entry WHERE id = %s", entry_of(visit, EventKind.CLOSE))
    page = seen(officer, "evidence_visit", visit.pk)
    assert dict(links(page))["終了 ありません"] == "missing"
    assert "7 番目の記録がありません" in page


def test_an_entry_moved_to_another_visit_is_seen_on_both(
    officer: Client, visit: Visit, seat: Seat, staff: People
) -> None:
    other = closed_visit(seat, staff("honcho-1"))
    value = other.pk if connection.features.has_native_uuid_field else other.pk.hex
    superuser("UPDATE ledger_entry SET visit = %s WHERE id = %s", value, entry_of(visit, EventKind.WIPE_PROVEN))
    assert dict(links(seen(officer, "evidence_visit", visit.pk)))["消去の証明 ありません"] == "missing"
    assert "検索用の項目が、署名された内容と違います" in seen(officer, "evidence_visit", other.pk)


def test_unreadable_bytes_do_not_break_the_page(officer: Client, visit: Visit) -> None:
    superuser("UPDATE ledger_entry SET leaf = %s WHERE id = %s", b"\xff\x00[", entry_of(visit, EventKind.END))
    assert "記録を読み取れません" in seen(officer, "evidence_visit", visit.pk)
    assert "読み取れません" in seen(officer, "evidence_entry", place_of(visit, EventKind.END))


DEEP = b'{"a":' * 700 + b"1" + b"}" * 700


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (EventKind.WIPE_PROVEN, b'{"space":"unmounted"}', b'{"logout":[],"space":{}}'),
        (EventKind.WIPE_PROVEN, b'{"space":"unmounted"}', DEEP),
        (EventKind.END, b'{"cause":"finish"}', b'{"cause":["finish"]}'),
        (EventKind.END, b'{"cause":"finish"}', b'["finish"]'),
        (EventKind.END, b'"finish"', b'"\\ud800"'),
        (EventKind.END, b'"finish"', b'"\\u0000"'),
        (EventKind.END, b'"finish"', b'"</pre><script>"'),
        (EventKind.CLOSE, b'"staff":null', b'"staff":"\\u0000"'),
        (EventKind.CLOSE, b'"staff":null', b'"staff":["x"]'),
        (EventKind.CLOSE, b'"by":"server"', b'"by":{}'),
        (EventKind.CALL, b'"at":"20', b'"at":"99'),
        (EventKind.CONFIRM, b'"own_name":"own"', b'"own_name":{}'),
    ],
)
def test_no_bytes_break_the_pages_that_are_to_say_so(
    officer: Client, visit: Visit, kind: EventKind, old: bytes, new: bytes
) -> None:
    change(visit, kind, old, new)
    page = seen(officer, "evidence_visit", visit.pk)
    assert "合いません" in page
    assert "足りないものがあります" in page
    assert "合いません" in seen(officer, "evidence_entry", place_of(visit, kind))
    assert "<script>" not in text(officer.get(reverse("evidence_entry", args=[place_of(visit, kind)])))
    seen(officer, "evidence_search")
    seen(officer, "receipt", visit.pk)


def test_what_a_terminal_signs_in_bad_faith_breaks_no_evidence_page(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    said = seat.report(EventKind.WIPE_PROVEN, {"proof": {"logout": [], "space": {"a": {}}, "leftovers": "<b>"}})
    assert said["verdict"] == "accepted"
    integrator.settle()
    page = seen(officer, "evidence_visit", visit.pk)
    assert "前の対応の残りを<b>個" in page
    seen(officer, "evidence_entry", place_of(visit, EventKind.WIPE_PROVEN))


def test_clocks_that_differ_are_both_shown(officer: Client, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    assert "届いた時刻" not in seen(officer, "evidence_visit", visit.pk)
    early = (clock.now() - timedelta(seconds=42)).isoformat()
    seat.report(EventKind.END, {"cause": "finish"}, at=early)
    page = seen(officer, "evidence_visit", visit.pk)
    assert page.count("届いた時刻") == 1
    assert "差 -42 秒" in page


def test_other_visits_of_the_card_are_shown_within_the_persons_reach(
    officer: Client, visit: Visit, seat: Seat, staff: People, city: City
) -> None:
    other = closed_visit(seat, staff("honcho-1"))
    assert f"/evidence/visits/{other.pk}/" in seen(officer, "evidence_visit", visit.pk)
    assert TAG not in seen(officer, "evidence_visit", visit.pk)
    superuser("UPDATE visits_visit SET site_id = %s WHERE ticket = %s", city.sites[1].pk, other.ticket)
    Staff.objects.filter(username="officer").update(site=city.sites[0])
    assert f"/evidence/visits/{other.pk}/" not in seen(officer, "evidence_visit", visit.pk)


# Sealed contents


def test_a_handwriting_is_drawn_for_whoever_may_and_that_is_stated(
    officer: Client, visit: Visit, staff: People
) -> None:
    payload = Payload.objects.get(visit=visit.pk, kind="signature")
    page = seen(officer, "evidence_visit", visit.pk)
    assert "市民の署名の筆跡" in page
    assert "まで保存" in page
    address = reverse("evidence_payload", args=[payload.pk])
    assert officer.get(address).status_code == 405
    answer = officer.post(address)
    assert '<polyline points="1,2 3,4"' in text(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    opened = Entry.objects.get(kind="payload_opened")
    assert opened.visit == visit.pk
    page = seen(officer, "evidence_visit", visit.pk)
    assert "署名などの内容を開いた" in page
    assert f"{staff('officer').display_name}(officer)" in page


def test_words_that_are_no_numbers_are_never_drawn(officer: Client, visit: Visit) -> None:
    strokes = [[['1 2"/><script>', 2, 0], [3, 4, 1]], "x", 7, [[5, 6, 0]], [[True, 1], [1e300, 2], [{}], None]]
    content = {"strokes": strokes, "width": "9", "height": 10}
    commitment = payloads.keep(kind="signature", content=content, visit=visit.pk)
    payload = Payload.objects.get(commitment=commitment)
    page = text(officer.post(reverse("evidence_payload", args=[payload.pk])))
    assert re.findall(r'points="(.*?)"', page) == ["3,4 3,4", "5,6 5,6"]
    assert 'viewBox="0 0 600 10"' in page


def test_an_erased_content_is_shown_as_erased_and_the_chain_still_holds(officer: Client, visit: Visit) -> None:
    payload = Payload.objects.get(visit=visit.pk, kind="signature")
    Erasure.objects.create(
        payload=payload.pk,
        kind=payload.kind,
        visit=visit.pk,
        commitment=payload.commitment,
        stored_at=payload.stored_at,
        reason="due",
    )
    number = payload.pk
    payload.delete()
    page = seen(officer, "evidence_visit", visit.pk)
    assert "に消去しました(保存期間の満了)" in page
    assert "つながっています" in page
    page = text(officer.post(reverse("evidence_payload", args=[number])))
    assert "もう開けません" in page
    assert not Entry.objects.filter(kind="payload_opened").exists()
    assert officer.post(reverse("evidence_payload", args=[uuid4()])).status_code == 404


def test_a_content_that_vanished_without_an_erasure_is_told(officer: Client, visit: Visit) -> None:
    superuser("DELETE FROM ledger_payload WHERE kind = %s", "signature")
    page = seen(officer, "evidence_visit", visit.pk)
    assert "見つかりません。消去の記録もありません" in page
    assert "足りないものがあります" in page


def test_a_content_swapped_with_another_visits_does_not_open(
    officer: Client, visit: Visit, seat: Seat, staff: People
) -> None:
    other = closed_visit(seat, staff("honcho-1"))
    mine, theirs = (Payload.objects.get(visit=one.pk, kind="signature") for one in (visit, other))
    superuser("UPDATE ledger_payload SET sealed = %s WHERE commitment = %s", bytes(theirs.sealed), mine.commitment)
    answer = officer.post(reverse("evidence_payload", args=[mine.pk]))
    assert answer.status_code == 409
    assert "暗号化された記録を開けません" in text(answer)
    assert "polyline" not in text(answer)
