"""The desks' pages: inquiries, requests, and the desk's own hands."""

import pytest

from nation.street import DESKS, Page, Street
from nation.town import KANA, Town


@pytest.fixture
def place() -> Street:
    place = Street(Town())
    town = place.town
    town.apply(town.login(town.nation.points, "A"), "B")
    town.register(town.login(town.nation.accounts, "C"), "D")
    return place


def soumu(place: Street) -> Page:
    return place.window().go(DESKS + "/").press("soumu")


def test_inquiry_about_a_person(place: Street) -> None:
    page = soumu(place).fill(asked_person="A").press("inquire-person")
    assert "架空カード" in page.text("service")
    assert "登録はありません" in page.text("account")
    page.press("back").fill(asked_person="C").press("inquire-person")
    assert "****123" in page.text("account")
    assert "レイジ シロウ" in page.text("account")


def test_inquiry_about_a_means_does_not_say_whose_record_it_is_on(place: Street) -> None:
    means = place.town.means("B")
    page = soumu(place).fill(service=means.service, payment_id=means.payment_id).press("inquire-means")
    assert "登録済みです" in page.text("answer")
    assert "架空 一郎" not in page.response.text
    page.press("back").fill(service=means.service, payment_id="NONE").press("inquire-means")
    assert "登録されていません" in page.text("answer")


def test_a_correction_asked_for_on_the_page(place: Street) -> None:
    account = place.town.account("C")
    page = soumu(place).fill(correct_person="C", kana=KANA["C"], bank=account.bank, branch=account.branch)
    page.fill(kind=account.kind, number=account.number).press("ask-correct-account").press("begin-soumu-0001")
    assert page.text("state-soumu-0001") == "処理中"
    page.press("finish-soumu-0001")
    assert page.text("state-soumu-0001") == "完了"
    assert not page.has("finish-soumu-0001")
    assert place.town.landed[-1] == ("C", "C")


def test_a_refusal_by_hand_shows_its_reason(place: Street) -> None:
    page = soumu(place).fill(delete_person="A").press("ask-delete-service")
    page.fill(reason="本人確認ができない").press("refuse-soumu-0001")
    assert page.text("state-soumu-0001") == "お断り"
    assert "本人確認ができない" in page.text("request-soumu-0001")
    assert place.town.nation.points.standing("A") is not None


@pytest.mark.parametrize(("path", "fields"), [("/soumu/delete-service", {"delete_person": "X"}), ("/soumu/person", {})])
def test_nobody_of_that_name(place: Street, path: str, fields: dict[str, str]) -> None:
    page = soumu(place)
    token = page.document.xpath("string(//input[@name='csrf']/@value)")
    answer = page.client.post(DESKS + path, data={"csrf": token, **fields})
    assert "person_unknown" in answer.text
    assert place.town.nation.soumu.requests() == []


def test_acting_on_a_closed_or_unknown_request_is_refused(place: Street) -> None:
    page = soumu(place).fill(delete_person="A").press("ask-delete-service").press("finish-soumu-0001")
    token = page.document.xpath("string(//input[@name='csrf']/@value)")
    for identity, reason in (("soumu-0001", "request_closed"), ("soumu-0099", "request_unknown")):
        for act in ("begin", "finish", "refuse"):
            answer = page.client.post(f"{DESKS}/soumu/{identity}/{act}", data={"csrf": token})
            assert reason in answer.text


def test_a_history_number_must_be_a_number(place: Street) -> None:
    page = place.window().go(DESKS + "/digital")
    page.fill(history_person="C", entry="いち").press("ask-delete-history")
    assert page.text("reason") == "input_malformed"
    page.go(DESKS + "/digital").fill(history_person="C", entry="\uff11").press("ask-delete-history")
    assert "履歴の 1 番" in page.text("request-digital-0001")


def test_a_request_that_cannot_be_done_reports_the_reason(place: Street) -> None:
    page = place.window().go(DESKS + "/digital").fill(history_person="C", entry="1").press("ask-delete-history")
    page.press("finish-digital-0001")
    assert page.text("state-digital-0001") == "お断り"
    assert "history_entry_in_use" in page.text("request-digital-0001")
