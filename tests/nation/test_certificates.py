from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.card import CertificateAuthority, KeyKind, Pins, VirtualCard, practice_keys
from madoguchi.nation.certificates import Service
from madoguchi.nation.errors import (
    CertificateExpired,
    CertificateNotYetEffective,
    CertificateRevoked,
    CertificateStatusDown,
    CertificateUnknown,
    PersonUnknown,
)
from nation.town import START, Town


@pytest.mark.parametrize("service", list(Service))
def test_a_certificate_long_known_stands_for_its_person(town: Town, service: Service) -> None:
    assert town.nation.certificates.check(service, town.cards["A"].auth_certificate) == "A"


def test_after_renewal_the_old_certificate_is_revoked_everywhere_at_once(town: Town) -> None:
    old = town.cards["A"].auth_certificate
    town.nation.renew_certificate("A", town.cards["A"])
    for service in Service:
        with pytest.raises(CertificateRevoked):
            town.nation.certificates.check(service, old)


def test_the_new_certificate_logs_in_at_once_but_cannot_apply_before_its_delay(town: Town) -> None:
    town.nation.renew_certificate("A", town.cards["A"])
    new, status = town.cards["A"].auth_certificate, town.nation.certificates
    assert status.check(Service.POINTS_LOGIN, new) == "A"
    with pytest.raises(CertificateNotYetEffective) as caught:
        status.check(Service.POINTS_APPLICATION, new)
    assert caught.value.effective_at == START + timedelta(hours=24)
    assert "2022年08月18日 09時00分" in caught.value.sentence
    town.clock.forward(hours=24)
    assert status.check(Service.POINTS_APPLICATION, new) == "A"


@settings(max_examples=30)
@given(st.sampled_from(list(Service)), st.integers(0, 5 * 24 * 60), st.integers(0, 6 * 24 * 60))
def test_each_service_learns_of_it_in_its_own_time(service: Service, delay: int, passed: int) -> None:
    town = Town()
    status = town.nation.certificates
    status.delays[service] = timedelta(minutes=delay)
    town.nation.renew_certificate("A", town.cards["A"])
    at = town.clock() + timedelta(minutes=passed)
    if passed < delay:
        with pytest.raises(CertificateNotYetEffective):
            status.check(service, town.cards["A"].auth_certificate, at)
    else:
        assert status.check(service, town.cards["A"].auth_certificate, at) == "A"


def test_a_certificate_that_nobody_registered_is_unknown_even_from_the_same_authority(town: Town) -> None:
    holder = town.nation.people["A"]
    pins = Pins("1111", "1111", "1111", "KAKU1234")
    keys = practice_keys("nobody", KeyKind.P384)
    same = VirtualCard.make(holder, pins, town.nation.authority, START, KeyKind.P384, keys=keys)
    other = VirtualCard.make(holder, pins, CertificateAuthority.create(START), START, KeyKind.P384, keys=keys)
    for card in (same, other):
        with pytest.raises(CertificateUnknown):
            town.nation.certificates.check(Service.POINTS_LOGIN, card.auth_certificate)


def test_a_certificate_is_worth_nothing_outside_its_own_time(town: Town) -> None:
    certificate = town.cards["A"].auth_certificate
    for at in (
        certificate.not_valid_before_utc - timedelta(seconds=1),
        certificate.not_valid_after_utc + timedelta(seconds=1),
    ):
        with pytest.raises(CertificateExpired):
            town.nation.certificates.check(Service.POINTS_LOGIN, certificate, at)


def test_a_lost_card_can_be_revoked_without_a_new_one(town: Town) -> None:
    town.nation.certificates.revoke("A")
    with pytest.raises(CertificateRevoked):
        town.nation.certificates.check(Service.POINTS_LOGIN, town.cards["A"].auth_certificate)
    assert town.nation.certificates.check(Service.POINTS_LOGIN, town.cards["B"].auth_certificate) == "B"


def test_nothing_is_accepted_while_the_status_service_is_down(town: Town) -> None:
    town.nation.certificates.fault_down()
    with pytest.raises(CertificateStatusDown):
        town.login(town.nation.points, "A")
    town.nation.certificates.clear_faults()
    assert town.login(town.nation.points, "A")


def test_only_an_enrolled_person_can_renew(town: Town) -> None:
    before = town.cards["A"].auth_certificate
    with pytest.raises(PersonUnknown):
        town.nation.renew_certificate("X", town.cards["A"])
    assert town.cards["A"].auth_certificate == before
