"""What the pages of the counter do, without a browser: login, reception, board, display."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import BringItem, ProcedureKind, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.conftest import PASSWORD
from server.seat import Enter, People, Seat, text, ticket

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
