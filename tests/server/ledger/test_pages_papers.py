"""What is printed: a receipt and a daily report whose QR code holds the checkpoint that stands beside it."""

import re
from datetime import timedelta

import pytest

from madoguchi.evidence import note
from madoguchi.evidence.merkle import check_inclusion, leaf_hash
from madoguchi.protocol import EventKind, InterruptReason, Outcome
from madoguchi.server import clock
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, log
from madoguchi.server.ledger.models import Entry
from madoguchi.server.ledger.signer import verifier
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import decoded, entry_of, place_of, printed, seen
from server.seat import Enter, People, Seat, serve, ticket


def today() -> str:
    return clock.today().isoformat()


def held_by(text: str, visit: Visit) -> bool:
    """Whether the checkpoint on the paper proves that the visit was closed, by nothing but the log's own proofs."""
    said = note.Checkpoint.parse(note.open_note(text, [verifier()])[0])
    place = place_of(visit, EventKind.CLOSE)
    leaf = bytes(Entry.objects.get(pk=entry_of(visit, EventKind.CLOSE)).leaf)
    check_inclusion(place, said.size, leaf_hash(leaf), log.inclusion(place, said.size), said.root)
    return True


def test_a_receipt_carries_the_checkpoint_that_holds_the_closing(enter: Enter, visit: Visit) -> None:
    page = seen(enter("honcho-1"), "receipt", visit.pk)
    assert decoded(page) == printed(page)
    assert held_by(decoded(page), visit)
    for words in (visit.ticket, "完了", "機械が確かめました", "ログアウトを確かめました(署名)", visit.procedure.label):
        assert words in page


def test_a_receipt_waits_for_the_checkpoint_that_holds_the_closing(enter: Enter, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    integrator.settle()
    seat.sign()
    page = seen(enter("honcho-1"), "receipt", visit.pk)
    assert "まだチェックポイントに入っていません" in page
    assert "qr-code" not in page
    integrator.settle()
    assert held_by(decoded(seen(enter("honcho-1"), "receipt", visit.pk)), visit)


def test_there_is_no_receipt_before_the_visit_is_closed(enter: Enter, confirming: Visit) -> None:
    page = seen(enter("honcho-1"), "receipt", confirming.pk, status=409)
    assert "まだ終わっていません" in page
    assert "/receipt/" not in seen(enter("honcho-1"), "visit", confirming.pk)


def test_the_pages_lead_to_the_receipt_and_to_the_evidence(enter: Enter, visit: Visit) -> None:
    page = seen(enter("honcho-1"), "visit", visit.pk)
    assert f"/visits/{visit.pk}/receipt/" in page
    assert f"/evidence/visits/{visit.pk}/" not in page
    assert f"/evidence/visits/{visit.pk}/" in seen(enter("auditor"), "visit", visit.pk)


def test_a_receipt_names_nobody(enter: Enter, visit: Visit) -> None:
    page = seen(enter("officer"), "receipt", visit.pk)
    article = page[page.index("<article") : page.index("</article")]
    assert visit.card_tag
    assert visit.card_tag not in article
    assert "honcho-1" not in article
    assert str(visit.pk) not in article


def test_an_interrupted_visit_is_told_that_it_goes_on(enter: Enter, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    seat.sign("interrupted", "no_account_data")
    integrator.settle()
    page = seen(enter("honcho-1"), "receipt", visit.pk)
    assert "中断" in page
    assert "続きは、また窓口でできます" in page


def test_the_daily_report_counts_the_day(enter: Enter, seat: Seat, staff: People, visit: Visit) -> None:
    second = ticket(seat, staff("honcho-1"))
    serve(seat, second, staff("honcho-1"))
    seat.report(EventKind.END, {"cause": "idle"}, lease=99)
    seat.end("card_gone")
    seat.report(EventKind.WIPE_FAILED, {"failure": "まだ動いている"})
    seat.wipe()
    services.confirm_absent(
        visit=second, staff=staff("honcho-1"), why="帰った", outcome=Outcome.ABANDONED, reason=InterruptReason.LEFT_SEAT
    )
    third = ticket(seat, staff("honcho-1"))
    services.withdraw(visit=third, staff=staff("honcho-1"), reason="気が変わった")
    ticket(seat, staff("honcho-1"))
    integrator.settle()
    page = seen(enter("honcho-1"), "daily", "honcho", today())
    (total,) = re.findall(r'<tr class="sum">(.*?)</tr>', page, re.DOTALL)
    assert re.findall(r">(\d+)<", total) == ["1", "0", "1", "1", "1", "4"]
    assert visit.procedure.label in page
    for words in ("カード", "署名 1", "不在 1", "1 回(市職員が撤去を確認 0 回)", "1 件"):
        assert words in page
    assert decoded(page) == printed(page) == log.newest().note


def test_another_site_or_day_has_its_own_figures(enter: Enter, visit: Visit) -> None:
    assert visit.pk
    officer = enter("officer")
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    for site, day in (("tonan", today()), ("honcho", yesterday)):
        page = seen(officer, "daily", site, day)
        assert visit.procedure.label not in page
        (total,) = re.findall(r'<tr class="sum">(.*?)</tr>', page, re.DOTALL)
        assert set(re.findall(r">(\d+)<", total)) == {"0"}


@pytest.mark.parametrize("day", ["2999-01-01", "きのう", "2022-13-01", "20221301"])
def test_days_that_were_not_are_not_found(enter: Enter, visit: Visit, day: str) -> None:
    assert visit.pk
    seen(enter("officer"), "daily", "honcho", day, status=404)


def test_site_and_day_are_chosen_by_a_form(enter: Enter, visit: Visit, city: City) -> None:
    assert visit.pk
    client = enter("honcho-1")
    page = seen(client, "daily_choose")
    assert city.sites[0].name in page
    assert city.sites[1].name not in page
    answer = client.get("/evidence/daily/", {"site": "honcho", "day": today()})
    assert answer.headers["Location"] == f"/evidence/daily/honcho/{today()}/"
    assert client.get("/evidence/daily/", {"site": "tonan", "day": today()}).status_code == 400
