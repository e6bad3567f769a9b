from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from card.support import HOLDER_A, NOW, make_card
from madoguchi.card import CertificateAuthority, CertificateUntrusted, KeyKind, practice_keys, tlv
from madoguchi.card.authority import JST, birth_text, last_moment
from madoguchi.card.keys import generate_key


def _others(certificate: x509.Certificate) -> dict[str, str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {
        name.type_id.dotted_string.removeprefix("1.2.392.200149.8.5.5."): tlv.decode(name.value)[0x0C].decode()
        for name in names
        if isinstance(name, x509.OtherName)
    }


def _used_for(certificate: x509.Certificate) -> tuple[bool, bool, bool]:
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    return usage.value.digital_signature, usage.value.content_commitment, usage.value.key_cert_sign


def test_the_auth_profile_names_nobody(authority: CertificateAuthority, kind: KeyKind) -> None:
    certificate = make_card(authority, kind).auth_certificate
    assert _used_for(certificate) == (True, False, False)
    assert "架空" in certificate.subject.rfc4514_string()
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    text = certificate.public_bytes(Encoding.DER)
    for personal in (HOLDER_A.name, HOLDER_A.kana, HOLDER_A.address, "19800229", "花子"):
        assert personal.encode() not in text


def test_the_sign_profile_carries_the_four_attributes(authority: CertificateAuthority, kind: KeyKind) -> None:
    certificate = make_card(authority, kind).sign_certificate
    assert _used_for(certificate) == (True, True, False)
    assert _others(certificate) == {
        "1": "架空 花子",
        "2": "0" * len("架空 花子"),
        "3": "2",
        "4": "319800229",
        "5": HOLDER_A.address,
        "6": "0" * len(HOLDER_A.address),
    }


def test_serial_numbers_are_given_in_order() -> None:
    authority = CertificateAuthority.create(NOW)
    card = make_card(authority)
    first, second = authority.serial_numbers
    assert second == first + 1 > authority.certificate.serial_number
    assert authority.issued == (card.auth_certificate, card.sign_certificate)


def test_the_authority_knows_its_own_and_their_time(authority: CertificateAuthority) -> None:
    certificate = make_card(authority).auth_certificate
    authority.check(certificate, NOW)
    authority.check(certificate, certificate.not_valid_after_utc)
    for moment in (NOW - timedelta(seconds=1), certificate.not_valid_after_utc + timedelta(seconds=1)):
        with pytest.raises(CertificateUntrusted):
            authority.check(certificate, moment)


def test_another_authority_of_the_same_name_is_not_believed(authority: CertificateAuthority) -> None:
    forger = CertificateAuthority.create(NOW)
    assert forger.certificate.subject == authority.certificate.subject
    with pytest.raises(CertificateUntrusted):
        authority.check(make_card(forger).auth_certificate, NOW)


def test_an_authority_with_an_rsa_key_issues_too() -> None:
    authority = CertificateAuthority.create(NOW, key=practice_keys(HOLDER_A.name).sign)
    authority.check(make_card(authority).auth_certificate, NOW)


@pytest.mark.parametrize(
    ("birth", "text"),
    [
        (date(1912, 7, 29), "119120729"),
        (date(1912, 7, 30), "219120730"),
        (date(1926, 12, 24), "219261224"),
        (date(1926, 12, 25), "319261225"),
        (date(1989, 1, 7), "319890107"),
        (date(1989, 1, 8), "419890108"),
        (date(2019, 4, 30), "420190430"),
        (date(2019, 5, 1), "520190501"),
    ],
)
def test_births_carry_their_era(birth: date, text: str) -> None:
    assert birth_text(birth) == text


@pytest.mark.parametrize(
    ("birth", "end"),
    [
        (date(1990, 8, 16), date(2027, 8, 16)),  # was yesterday: this year's is no birthday after issue
        (date(1990, 8, 17), date(2027, 8, 17)),  # is today
        (date(1990, 8, 18), date(2026, 8, 18)),  # is tomorrow: the first of the five
        (date(1980, 2, 29), date(2027, 2, 28)),  # ordinary year
    ],
)
def test_validity_ends_with_the_fifth_birthday(birth: date, end: date) -> None:
    moment = last_moment(birth, NOW).astimezone(JST)
    assert (moment.date(), moment.hour, moment.minute, moment.second) == (end, 23, 59, 59)


@given(
    st.dates(date(1900, 1, 1), date(2022, 1, 1)),
    st.datetimes(datetime(2022, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds are naive
)
def test_validity_is_between_four_and_five_years(birth: date, issued: datetime) -> None:
    length = last_moment(birth, issued) - issued
    assert timedelta(days=4 * 365) < length < timedelta(days=5 * 365 + 3)


def test_a_time_without_zone_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(ValueError, match="zone"):
        authority.issue_auth(generate_key(KeyKind.P384).public_key(), HOLDER_A, datetime(2022, 8, 17))  # noqa: DTZ001
