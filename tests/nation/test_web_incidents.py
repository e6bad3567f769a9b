"""The two incidents, clicked through the pages as a person would, under each year's rules."""

from datetime import timedelta

import pytest

from madoguchi.nation.ground import TOKYO
from madoguchi.nation.world import Behaviour
from nation.street import ACCOUNTS, DESKS, POINTS, Page, Street
from nation.town import NAMES, START, Town


def street(behaviour: Behaviour) -> Street:
    return Street(Town(behaviour))


def refused_for(page: Page) -> str:
    assert page.name == "refused", page.name
    return page.text("reason")


@pytest.mark.parametrize("behaviour", list(Behaviour))
def test_each_alone_and_logging_out_all_is_well(behaviour: Behaviour) -> None:
    place = street(behaviour)
    page = place.window()
    for letter in "AB":
        assert place.log_in(page, POINTS, letter).text("who") == NAMES[letter]
        assert place.apply(page, letter).name == "done"
        assert page.press("me").text("service") == place.town.means(letter).service
        assert page.press("logout").name == "logged-out"
    for letter in "CD":
        place.log_in(page, ACCOUNTS, letter)
        assert place.register(page, letter).name == "done"
        assert "****123" in page.press("me").text("account")
        page.press("logout")
    assert place.town.landed == [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")]
    assert place.town.nation.refusals == []


def test_2022_case_1_from_the_renewed_certificate_to_both_put_right() -> None:
    place = street(Behaviour.Y2022)
    town, page = place.town, place.window()
    town.nation.renew_certificate("A", town.cards["A"], START - timedelta(hours=22))

    place.log_in(page, POINTS, "A")
    assert refused_for(place.apply(page, "A")) == "certificate_not_yet_effective"
    assert "08月17日 11時00分" in page.text("sentence")
    # A goes home; the window is minimised, the session lives on

    for _ in range(3):  # staff keep using the terminal: each use keeps the session alive
        town.clock.forward(minutes=45)
        page.go(POINTS + "/")
    assert town.clock() > (START + timedelta(hours=2)).astimezone(TOKYO)

    assert place.log_in(page, POINTS, "B").text("who") == NAMES["A"]
    assert place.apply(page, "B").name == "done"
    assert town.landed == [("B", "A")]

    page.press("logout")
    place.log_in(page, POINTS, "B")
    assert page.text("status").startswith("登録はありません")
    assert refused_for(place.apply(page, "B")) == "already_registered"
    page.press("logout")

    place.log_in(page, POINTS, "A")
    assert page.text("service") == town.means("B").service
    assert refused_for(place.apply(page, "A")) == "already_registered"
    page.press("logout")

    desk = place.window().go(DESKS + "/soumu")
    desk.fill(delete_person="A").press("ask-delete-service").press("finish-soumu-0001")
    assert desk.text("state-soumu-0001") == "完了"
    for letter in "AB":
        place.log_in(page, POINTS, letter)
        assert place.apply(page, letter).name == "done"
        page.press("logout")
    assert town.landed == [("B", "A"), ("A", "A"), ("B", "B")]


def test_2022_case_2_from_the_forgotten_account_data_to_the_erased_history() -> None:
    place = street(Behaviour.Y2022)
    town, page = place.town, place.window()
    place.log_in(page, ACCOUNTS, "C")  # C has no account data with them and goes home

    place.log_in(page, ACCOUNTS, "D")
    assert place.register(page, "D").name == "done"
    assert town.landed == [("D", "C")]
    assert town.nation.refusals == [], "nobody noticed"
    page.press("logout")

    town.clock.forward(days=1)
    place.log_in(page, ACCOUNTS, "C")
    assert page.text("account").endswith("****123")
    assert page.text("holder-kana") == "レイジ シロウ"
    assert refused_for(place.register(page, "C")) == "already_registered"
    assert place.register(page.press("back"), "C", start="change").name == "done"
    page.press("logout")

    town.clock.forward(days=2)
    place.log_in(page, ACCOUNTS, "D")
    assert place.register(page, "D").name == "done"
    page.press("logout")

    desk = place.window().go(DESKS + "/digital")
    desk.fill(history_person="C", entry="1").press("ask-delete-history").press("work")
    assert desk.text("state-digital-0001") == "処理中"
    town.clock.forward(days=13)
    assert desk.press("work").text("state-digital-0001") == "完了"
    place.log_in(page, ACCOUNTS, "C")
    assert not page.has("history-1")
    assert page.has("history-2")
    assert town.landed == [("D", "C"), ("C", "C"), ("D", "D")]


@pytest.mark.parametrize(
    ("behaviour", "reason"), [(Behaviour.Y2023, "applicant_mismatch"), (Behaviour.PROOF, "other_card")]
)
def test_later_years_refuse_the_next_persons_payment_service(behaviour: Behaviour, reason: str) -> None:
    place = street(behaviour)
    page = place.window()
    place.log_in(page, POINTS, "A")
    place.log_in(page, POINTS, "B")
    assert refused_for(place.apply(page, "B")) == reason
    assert place.town.nation.registrations == []
    page.press("logout")
    place.log_in(page, POINTS, "B")
    assert place.apply(page, "B").name == "done"
    assert place.town.landed == [("B", "B")]


@pytest.mark.parametrize("behaviour", [Behaviour.Y2023, Behaviour.PROOF])
def test_later_years_refuse_the_next_persons_account(behaviour: Behaviour) -> None:
    place = street(behaviour)
    page = place.window()
    place.log_in(page, ACCOUNTS, "C")
    place.log_in(page, ACCOUNTS, "D")
    assert refused_for(place.register(page, "D")) == "second_read_mismatch"
    assert refused_for(page.go(ACCOUNTS + "/account")) == "second_read_missing"
    assert place.town.nation.registrations == []


def test_2023_a_card_forgotten_on_the_reader_is_not_stopped() -> None:
    place = street(Behaviour.Y2023)
    page = place.window()
    place.log_in(page, POINTS, "A")
    assert place.apply(page, "B", card="A").name == "done"
    assert place.town.landed == [("B", "A")]


def test_proof_a_card_forgotten_on_the_reader_is_worth_nothing_without_its_pin() -> None:
    place = street(Behaviour.PROOF)
    town, page = place.town, place.window()
    place.log_in(page, POINTS, "A")
    means = town.means("B")
    page.press("apply").fill(service=means.service).press("next")
    page.fill(payment_id=means.payment_id, security_code=means.security_code).press("next").press("submit")
    town.put("A")
    page.fill(pin=town.pin("B")).press("use")
    assert (page.name, page.text("note-code")) == ("card", "PinWrong")
    assert refused_for(page.press("cancel")) == "challenge_cancelled"
    assert town.nation.registrations == []


def test_2023_going_on_in_a_window_after_the_second_read_is_not_stopped_and_proof_stops_it() -> None:
    for behaviour, landed in ((Behaviour.Y2023, [("D", "C")]), (Behaviour.PROOF, [])):
        place = street(behaviour)
        page = place.window()
        place.log_in(page, ACCOUNTS, "C").press("register").fill(consent="yes").press("next")
        assert place.use_card(page, "C").name == "account"
        place.type_account(page, "D")
        assert place.town.landed == landed
    assert refused_for(page) == "other_card"


def test_what_the_card_client_shows_in_proof_names_the_person_and_the_whole_content() -> None:
    place = street(Behaviour.PROOF)
    page = place.window()
    place.log_in(page, POINTS, "A")
    means = place.town.means("B")
    page.press("apply").fill(service=means.service).press("next")
    page.fill(payment_id=means.payment_id, security_code=means.security_code).press("next").press("submit")
    summary = page.text("summary")
    for shown in (NAMES["A"], means.service, means.payment_id, POINTS):
        assert shown in summary
    assert means.security_code not in summary
