"""The training city: what its crib sheet says can really be typed."""

from datetime import datetime

import pytest

from madoguchi.card import MemoryReader, card_tag
from madoguchi.nation.accounts import AccountApplication, check_form
from madoguchi.nation.card_use import use_card
from madoguchi.nation.challenges import Returned
from madoguchi.nation.errors import CertificateNotYetEffective
from madoguchi.nation.ground import TOKYO
from madoguchi.nation.points import Application
from madoguchi.nation.seed import CITIZENS, Citizen, TrainingCity, make_training_city

NOW = datetime(2026, 4, 1, 10, 0, tzinfo=TOKYO)


@pytest.fixture(scope="module")
def city() -> TrainingCity:
    return make_training_city(clock=lambda: NOW)


def logged_in(city: TrainingCity, citizen: Citizen) -> str:
    points, reader = city.nation.points, MemoryReader("試験")
    reader.insert(city.cards[citizen.label])
    cookie = points.open(None).cookie
    challenge = points.ask_login(cookie)
    ticket = points.answer(challenge.id, use_card(reader, challenge, citizen.auth_pin))
    return points.login(cookie, Returned(challenge.id, ticket)).cookie


def test_everybody_can_log_in_and_apply_but_who_has_just_renewed(city: TrainingCity) -> None:
    points = city.nation.points
    for citizen in CITIZENS:
        cookie = logged_in(city, citizen)
        assert points.person_name(points.me(cookie)) == citizen.holder.name
        typed = Application(citizen.service, citizen.payment_id, citizen.security_code)
        if citizen.renewed_ago is None:
            points.register(cookie, typed)
        else:
            with pytest.raises(CertificateNotYetEffective):
                points.register(cookie, typed)
    assert len(city.nation.registrations) == 7
    assert city.nation.misregistrations == []


def test_the_accounts_exist_and_can_be_typed(city: TrainingCity) -> None:
    for citizen in CITIZENS:
        assert city.nation.bank.owner(citizen.account) == citizen.letter
        check_form(AccountApplication(citizen.account, citizen.holder.kana, consent=True))


def test_all_are_different_people(city: TrainingCity) -> None:
    assert len(city.cards) == len(CITIZENS) == 8
    for known in ("letter", "auth_pin", "text_pin", "payment_id", "security_code", "account"):
        assert len({getattr(citizen, known) for citizen in CITIZENS}) == 8, known
    assert len({card_tag(card.auth_certificate, b"0" * 16) for card in city.cards.values()}) == 8


def test_the_crib_sheet_says_everything_and_that_it_is_made_up(city: TrainingCity) -> None:
    sheet = city.crib_sheet()
    assert "すべて架空" in sheet
    for citizen in CITIZENS:
        for known in (citizen.label, citizen.holder.name, citizen.auth_pin, citizen.text_pin, citizen.payment_id):
            assert known in sheet
        assert citizen.account.number in sheet
        assert citizen.security_code in sheet


def test_practice_goes_on_after_the_real_programme_ended(city: TrainingCity) -> None:
    assert city.nation.points.programme_end > NOW.date()
