"""The evidence pages without a browser: what they show of a sound log, a short one, an empty one and a changed one."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from madoguchi.evidence import envelope, leaf, note
from madoguchi.evidence.keys import public_text
from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, log, payloads, views
from madoguchi.server.ledger.models import Checkpoint, Entry, Erasure, Payload, Tile
from madoguchi.server.ledger.signer import origin, signer
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import closed_visit, decoded, entry_of, links, place_of, printed, seen, superuser
from server.seat import TAG, Seat, serve, text, ticket

People = Callable[[str], Staff]
Enter = Callable[[str], Client]

WHOLE = ["呼び出し", "カード確認", "終了・消去開始", "消去の証明", "ログアウト確認", "終了"]


@pytest.fixture
def visit(seat: Seat, staff: People) -> Visit:
    return closed_visit(seat, staff("honcho-1"))


@pytest.fixture
def officer(enter: Enter) -> Client:
    return enter("officer")


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


# The chain of a visit


def change(visit: Visit, kind: EventKind, old: bytes, new: bytes) -> None:
    """Change bytes of a stored entry."""
    row = Entry.objects.get(pk=entry_of(visit, kind))
    stored = bytes(row.leaf)
    assert old in stored
    superuser("UPDATE ledger_entry SET leaf = %s WHERE id = %s", stored.replace(old, new), row.pk)


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
