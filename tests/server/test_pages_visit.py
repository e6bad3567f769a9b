"""A visit's pages at the counter, without a browser: its story, what can be done now, how it is confirmed."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.ledger import payloads
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.conftest import PASSWORD
from server.seat import Enter, People, Seat, serve, text, ticket

# A visit's page


def test_the_visits_page_tells_the_whole_story(enter: Enter, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.report(EventKind.CURTAIN)
    seat.end("card_gone")
    proof = {
        "training": False,
        "logout": "visited",
        "processes_gone_at": "2026-01-01T00:00:00+09:00",
        "namespaces_empty_at": "2026-01-01T00:00:00+09:00",
        "space_gone_at": "2026-01-01T00:00:00+09:00",
        "space": "unmounted",
        "leftovers": 0,
    }
    seat.report(EventKind.WIPE_PROVEN, {"proof": proof})
    seat.sign("interrupted", "no_account_data")
    shown = text(enter("auditor").get(f"/visits/{visit.pk}/"))
    for words in (
        "カードが離れた",
        "カードが戻りませんでした",
        "ログアウトのページを開きました",
        "処理がすべて止まった",
        "取り外しました",
        "署名",
        "口座の情報がない",
        "中断",
    ):
        assert words in shown
    assert "strokes" not in shown
    assert seat.held is not None
    assert "いまできること" not in shown


def test_only_what_can_be_done_now_is_offered(enter: Enter, seat: Seat, staff: People) -> None:
    client, officer = enter("honcho-1"), enter("officer")
    visit = ticket(seat, staff("honcho-1"))

    def offered(who: Client) -> set[str]:
        return set(re.findall(rf'action="/visits/{visit.pk}/([\w-]+)/"', text(who.get(f"/visits/{visit.pk}/"))))

    assert offered(client) == {"withdraw"}
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    assert offered(client) == {"withdraw", "return"}
    seat.poll()
    seat.bind()
    assert offered(client) == {"ask-end"}
    seat.end()
    assert offered(client) == set()
    assert offered(officer) == {"attest"}
    seat.wipe()
    assert offered(client) == {"spoken", "absent"}
    seat.sign()
    assert offered(officer) == set()


def test_acts_of_a_visit_through_their_pages(enter: Enter, seat: Seat, staff: People) -> None:
    client = enter("honcho-1")
    visit = ticket(seat, staff("honcho-1"))
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    address = f"/visits/{visit.pk}"
    assert "理由を書いてください" in text(client.post(f"{address}/return/", {"reason": ""}))
    assert "列に戻しました" in text(client.post(f"{address}/return/", {"reason": "いない"}, follow=True))
    refused = client.post(f"{address}/return/", {"reason": "もう一度"})
    assert refused.status_code == 409
    assert "いまの状態ではこの操作はできません" in text(refused)
    assert "取りやめにしました" in text(client.post(f"{address}/withdraw/", {"reason": "帰られた"}, follow=True))
    visit.refresh_from_db()
    assert (visit.state, payloads.words(visit.reason)) == ("withdrawn", "帰られた")
    shown = text(client.get(f"{address}/"))
    assert "理由: 帰られた" in shown
    assert "sealed:" not in shown


@pytest.mark.parametrize(
    ("second", "password", "words"),
    [
        ("honcho-2", "wrong", "ログイン名かパスワードが違います"),
        ("nobody", PASSWORD, "ログイン名かパスワードが違います"),
        ("honcho-1", PASSWORD, "別の係員"),
        ("tonan-1", PASSWORD, "見つかりませんでした"),
        ("auditor", PASSWORD, "権限がありません"),
    ],
)
def test_the_second_member_of_staff_has_to_be_there(
    enter: Enter, confirming: Visit, second: str, password: str, words: str
) -> None:
    data = {"outcome": "completed", "own_name": "own", "second_username": second, "second_password": password}
    answer = enter("honcho-1").post(f"/visits/{confirming.pk}/spoken/", data)
    assert answer.status_code == 409
    assert words in text(answer)
    assert password not in text(answer)
    confirming.refresh_from_db()
    assert confirming.state == "confirming"


def test_spoken_and_absent_close_the_visit(enter: Enter, confirming: Visit) -> None:
    client = enter("honcho-1")
    data = {"outcome": "interrupted", "second_username": "honcho-2", "second_password": PASSWORD}
    assert "理由を選んでください" in text(client.post(f"/visits/{confirming.pk}/spoken/", data))
    client.post(f"/visits/{confirming.pk}/spoken/", data | {"reason": "pin_locked"})
    confirming.refresh_from_db()
    assert (confirming.state, confirming.outcome, confirming.reason) == ("closed", "interrupted", "pin_locked")


def test_a_spoken_completion_says_whose_name_was_shown(enter: Enter, confirming: Visit) -> None:
    client = enter("honcho-1")
    data = {"outcome": "completed", "second_username": "honcho-2", "second_password": PASSWORD}
    assert "最後の画面の名前について選んでください" in text(client.post(f"/visits/{confirming.pk}/spoken/", data))
    client.post(f"/visits/{confirming.pk}/spoken/", data | {"own_name": "unseen"})
    confirming.refresh_from_db()
    assert confirming.state == "closed"
    assert confirming.confirmation is not None
    assert confirming.confirmation["own_name"] == "unseen"


def test_another_persons_name_on_the_last_screen_calls_for_staff(enter: Enter, confirming: Visit, seat: Seat) -> None:
    client = enter("honcho-1")
    alarm = "最後の画面に<strong>ほかの人の名前</strong>が出ていました"
    assert alarm not in text(client.get("/sites/honcho/"))
    assert seat.sign(own_name="other")["verdict"] == "accepted"
    confirming.refresh_from_db()
    assert confirming.state == "closed"
    board = text(client.get("/sites/honcho/"))
    assert alarm in board
    assert confirming.ticket in board
    assert "最後の画面にほかの人の名前" in text(client.get(f"/visits/{confirming.pk}/"))
    with clock.running_on(lambda: confirming.created_at + timedelta(days=1)):
        assert alarm not in text(client.get("/sites/honcho/"))


def test_ones_own_name_calls_for_nobody(enter: Enter, confirming: Visit, seat: Seat) -> None:
    assert confirming.state == "confirming"
    for_own = seat.sign(own_name="own")
    assert for_own["verdict"] == "accepted"
    assert "ほかの人の名前" not in text(enter("honcho-1").get("/sites/honcho/"))


def test_a_reason_left_over_from_another_choice_is_dropped(enter: Enter, confirming: Visit) -> None:
    data = {"outcome": "completed", "reason": "pin_locked", "why": "先に帰られた"}
    enter("honcho-1").post(f"/visits/{confirming.pk}/absent/", data)
    confirming.refresh_from_db()
    assert (confirming.state, confirming.outcome, confirming.reason) == ("closed", "completed", "")


def test_a_page_that_others_have_moved_on_is_loaded_anew_unless_somebody_types(
    enter: Enter, seat: Seat, staff: People
) -> None:
    client = enter("honcho-1")
    visit = ticket(seat, staff("honcho-1"))
    stand = re.search(r'"stand": "([\w-]+)"', text(client.get(f"/visits/{visit.pk}/")))
    assert stand is not None
    asked = {"stand": stand[1]}
    assert "HX-Refresh" not in client.get(f"/visits/{visit.pk}/now/", asked).headers
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    assert client.get(f"/visits/{visit.pk}/now/", asked).headers["HX-Refresh"] == "true"
    busy = client.get(f"/visits/{visit.pk}/now/", asked | {"busy": "1"})
    assert "状態が変わりました" in text(busy)
    assert f'"stand": "{stand[1]}"' in text(busy)
