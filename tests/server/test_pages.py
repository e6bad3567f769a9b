"""What the pages of the counter do, without a browser: login, reception, board, display, a visit."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import BringItem, ProcedureKind, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import payloads
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.conftest import PASSWORD
from server.seat import Seat, serve, text, ticket

People = Callable[[str], Staff]
Enter = Callable[[str], Client]
KEY = "11111111-2222-4333-8444-555555555555"
GOOD = {"certificate_renewed": "no", "pin_known": "yes", "own_name": "yes"}


def everything(city: City, place: int) -> list[int]:
    return list(city.procedures[place].bring.values_list("pk", flat=True))


# Login


def test_a_login_leads_to_the_own_board(city: City, client: Client) -> None:
    answer = client.post("/login/", {"username": "honcho-1", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/sites/honcho/"
    assert "本庁舎" in text(answer)
    assert city.sites


@pytest.mark.parametrize(
    ("username", "path"), [("officer", "/sites/"), ("auditor", "/sites/"), ("callcentre", "/counters/")]
)
def test_each_role_has_a_first_page(enter: Enter, username: str, path: str) -> None:
    assert enter(username).get("/", follow=True).redirect_chain[-1][0] == path


def test_five_wrong_passwords_lock_the_login(city: City, client: Client) -> None:
    assert city.logins
    for _ in range(4):
        answer = client.post("/login/", {"username": "honcho-1", "password": "wrong"})
        assert answer.status_code == 200
        assert "ログイン名かパスワードが違います" in text(answer)
    assert client.post("/login/", {"username": "honcho-1", "password": "wrong"}).status_code == 429
    answer = client.post("/login/", {"username": "honcho-1", "password": PASSWORD})
    assert answer.status_code == 429
    assert "15分待って" in text(answer)
    assert client.post("/login/", {"username": "honcho-2", "password": PASSWORD}).status_code == 302


def test_logging_out_needs_a_press_and_ends_the_session(enter: Enter) -> None:
    client = enter("honcho-1")
    assert client.get("/logout/").status_code == 405
    client.post("/logout/")
    assert client.get("/sites/honcho/").status_code == 302


def test_a_password_is_changed_by_its_owner(enter: Enter) -> None:
    client = enter("honcho-1")
    weak = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    assert "短すぎます" in text(client.post("/password/", weak))
    strong = {"old_password": PASSWORD, "new_password1": "きょうは晴れ-a-42x", "new_password2": "きょうは晴れ-a-42x"}
    assert client.post("/password/", strong).status_code == 302
    assert Staff.objects.get(username="honcho-1").check_password("きょうは晴れ-a-42x")


def test_a_stale_or_foreign_form_changes_nothing(city: City) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(Staff.objects.get(username="officer"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(f"/terminals/{city.terminals[0].pk}/enrol/")
    assert answer.status_code == 403
    assert "何も変えていません" in text(answer)


def test_pages_carry_a_strict_policy_and_load_nothing_from_outside(enter: Enter) -> None:
    answer = enter("honcho-1").get("/sites/honcho/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert re.findall(r'(?:src|href)="(?!/|#|\?)', text(answer)) == []
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", text(answer)) == []


# Reception


def test_reception_issues_a_ticket_when_nothing_stands_in_the_way(enter: Enter, city: City) -> None:
    data = GOOD | {"key": KEY, "procedure": "public_money_account", "bring": everything(city, 1)}
    answer = enter("honcho-1").post("/sites/honcho/reception/", data)
    visit = Visit.objects.get()
    assert answer.headers["Location"] == f"/visits/{visit.pk}/slip/"
    assert visit.ticket == "A-001"
    assert visit.preflight["answers"] == GOOD
    assert visit.preflight["missing"] == []
    assert visit.preflight["advised"] == []


def test_a_form_that_is_sent_twice_gives_one_ticket(enter: Enter, city: City) -> None:
    data = GOOD | {"key": KEY, "procedure": "public_money_account", "bring": everything(city, 1)}
    places = {enter("honcho-1").post("/sites/honcho/reception/", data).headers["Location"] for _ in range(3)}
    assert len(places) == 1
    assert Visit.objects.get().events.count() == 1
    other = enter("honcho-1").post("/sites/honcho/reception/", data | {"key": KEY.replace("1", "9")})
    assert other.headers["Location"] not in places
    assert [visit.ticket for visit in Visit.objects.all()] == ["A-001", "A-002"]


def test_a_ticket_of_yesterday_is_dated_on_the_board_and_not_on_the_display(
    enter: Enter, seat: Seat, staff: People
) -> None:
    yesterday = clock.now() - timedelta(days=1)
    with clock.running_on(lambda: yesterday):
        old = ticket(seat, staff("honcho-1"))
    assert f"{old.day.month}/{old.day.day}" in text(enter("honcho-1").get("/sites/honcho/"))
    assert old.ticket not in text(Client().get("/display/honcho/"))


def test_reception_says_what_will_interrupt_before_it_issues(enter: Enter, city: City) -> None:
    client = enter("honcho-1")
    data: dict[str, Any] = GOOD | {
        "key": KEY,
        "procedure": "public_money_account",
        "certificate_renewed": "yes",
        "bring": everything(city, 1)[:-1],
    }
    answer = client.post("/sites/honcho/reception/", data)
    assert "途中で終わるかもしれません" in text(answer)
    assert "電子証明書を更新したばかり" in text(answer)
    assert "口座の情報" in text(answer)
    assert not Visit.objects.exists()
    client.post("/sites/honcho/reception/", data | {"told": "on"})
    visit = Visit.objects.get()
    assert visit.preflight["advised"] == ["certificate_renewed", "missing_information"]
    assert visit.preflight["missing"] == ["口座の情報"]


def test_reception_asks_again_for_what_was_not_answered(enter: Enter) -> None:
    answer = enter("honcho-1").post("/sites/honcho/reception/", {"key": KEY, "procedure": "public_money_account"})
    assert answer.status_code == 400
    assert text(answer).count("どれか1つを選んでください。") == 3
    assert not Visit.objects.exists()


def test_reception_offers_only_what_is_offered_today(enter: Enter) -> None:
    ProcedureKind.objects.filter(code="payment_service").update(active_until=date(2023, 9, 30))
    client = enter("honcho-1")
    assert "キャッシュレス決済サービス" not in text(client.get("/sites/honcho/reception/"))
    item = BringItem.objects.filter(procedure__code="payment_service").values_list("pk", flat=True)
    data = GOOD | {"key": KEY, "guardian": "no", "procedure": "payment_service", "bring": list(item)}
    answer = client.post("/sites/honcho/reception/", data)
    assert answer.status_code == 409
    assert "受け付けていません" in text(answer)


def test_no_form_asks_for_a_name_or_a_number(enter: Enter, seat: Seat, staff: People) -> None:
    client = enter("honcho-1")
    visit = ticket(seat, staff("honcho-1"))
    pages = [f"/sites/honcho/reception/?procedure={kind.code}" for kind in ProcedureKind.objects.all()]
    for page in [*pages, f"/visits/{visit.pk}/"]:
        names = set(re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]+)"', text(client.get(page))))
        assert names <= {
            "csrfmiddlewaretoken",
            "procedure",
            "key",
            "bring",
            "told",
            "reason",
            *GOOD,
            "guardian",
        }, page


# Board, call, display


def test_a_call_from_the_board(enter: Enter, seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    answer = enter("honcho-1").post(
        "/sites/honcho/call/", {"ticket": str(visit.pk), "terminal": str(seat.terminal.pk)}, follow=True
    )
    assert "A-001 を 端末1 に呼びました。" in text(answer)
    visit.refresh_from_db()
    assert visit.state == "called"


def test_a_refused_call_says_why_and_keeps_the_choice(enter: Enter, seat: Seat, staff: People) -> None:
    first, second = ticket(seat, staff("honcho-1")), ticket(seat, staff("honcho-1"))
    services.call(visit=first, terminal=seat.terminal, staff=staff("honcho-1"))
    answer = enter("honcho-1").post(
        "/sites/honcho/call/", {"ticket": str(second.pk), "terminal": str(seat.terminal.pk)}
    )
    assert answer.status_code == 409
    assert "ログアウト確認まで終えてから" in text(answer)
    chosen = re.search(rf'value="{second.pk}"[^>]*>', text(answer))
    assert chosen is not None
    assert "checked" in chosen.group()


@pytest.mark.parametrize("data", [{}, {"ticket": "x", "terminal": "y"}])
def test_a_call_without_a_choice_asks_for_one(enter: Enter, data: dict[str, str]) -> None:
    answer = enter("honcho-1").post("/sites/honcho/call/", data)
    assert answer.status_code == 409
    assert "1つずつ選んでから" in text(answer)


def test_a_call_of_another_sites_ticket_finds_nothing(enter: Enter, city: City, seat: Seat, staff: People) -> None:
    far = services.issue_ticket(
        site=city.sites[1], procedure=city.procedures[1], preflight={"a": 1}, staff=staff("officer")
    )
    data = {"ticket": str(far.pk), "terminal": str(seat.terminal.pk)}
    assert "見つかりませんでした" in text(enter("honcho-1").post("/sites/honcho/call/", data))
    far.refresh_from_db()
    assert far.state == "waiting"


def test_the_board_asks_the_database_the_same_few_times(enter: Enter, city: City, seat: Seat, staff: People) -> None:
    client = enter("honcho-1")

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/sites/honcho/").status_code == 200
        return len(queries)

    services.call(visit=ticket(seat, staff("honcho-1")), terminal=seat.terminal, staff=staff("honcho-1"))
    ticket(seat, staff("honcho-1"))
    few = count()
    for number in range(4, 9):
        ticket(seat, staff("honcho-1"))
        other = Seat(Terminal.objects.create(site=city.sites[0], name=f"端末{number}"), seat._client)
        other.enrol()
        other.poll()
        services.call(visit=ticket(seat, staff("honcho-1")), terminal=other.terminal, staff=staff("honcho-1"))
    assert count() == few


def test_a_live_part_is_sent_only_when_it_has_changed(enter: Enter, seat: Seat, staff: People) -> None:
    client = enter("honcho-1")
    seen = re.search(r'"seen": "(\w+)"', text(client.get("/sites/honcho/")))
    assert seen is not None
    assert client.get("/sites/honcho/live/", {"seen": seen[1]}).status_code == 204
    ticket(seat, staff("honcho-1"))
    answer = client.get("/sites/honcho/live/", {"seen": seen[1]})
    assert answer.status_code == 200
    assert "A-001" in text(answer)


def test_the_display_shows_numbers_and_needs_no_login(city: City, seat: Seat, staff: People) -> None:
    stranger = Client()
    visit = ticket(seat, staff("honcho-1"))
    ticket(seat, staff("honcho-1"))
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    shown = text(stranger.get("/display/honcho/"))
    assert "A-001" in shown
    assert "端末1 へどうぞ" in shown
    assert "A-002" in shown
    assert str(visit.pk) not in shown
    assert visit.procedure.label not in shown
    assert city.sites[1].name not in shown


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
