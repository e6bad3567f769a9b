"""The protocol of the card, byte by byte."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from card.support import HOLDER_A, NOW, PINS, SELECT_JPKI, SELECT_TEXT, enter, make_card, select, send, status
from madoguchi.card import AppletMissing, CertificateAuthority, CertificateMissing, KeyKind, Pins, VirtualCard

DIGEST_INFO = "3031300D060960864801650304020105000420" + hashlib.sha256(b"written").hexdigest()
SIGN = f"802A008033{DIGEST_INFO}00"
SIGN_P384 = f"802A008030{hashlib.sha384(b'written').hexdigest()}00"


def test_the_atr_is_everybodys(card: VirtualCard, other_card: VirtualCard) -> None:
    assert card.atr == other_card.atr == bytes.fromhex("3BE000FF8131FE4514")


@pytest.mark.parametrize("aid", [SELECT_JPKI, SELECT_TEXT])
def test_both_applications_are_there(card: VirtualCard, aid: str) -> None:
    assert send(card, aid) == (b"", "9000")


@pytest.mark.parametrize(
    ("apdu", "answer"),
    [
        ("00A4040C0AD392F000260100000002", "6A82"),  # no such application
        ("00A4040C09D392F0002601000000", "6A82"),  # names are not abbreviated
        ("00A4020C02000A", "6A82"),  # no application selected
        ("00A4040C", "6A82"),
        ("00A4020C01 0A", "6700"),
        ("00A4000C023F00", "6A86"),
        ("00A4040002D392", "6A86"),
        ("80A4040C0AD392F000260100000001", "6E00"),
        ("FFCA000000", "6D00"),
        ("00840000 08", "6D00"),
        ("00B0000000", "6986"),
        ("0020008004 31323334", "6A88"),
        ("00200080", "6A88"),
        ("00200081", "6A86"),
        ("10200080", "6E00"),
        ("802A008001 30 00", "6A88"),
        ("802A009A01 30 00", "6A86"),
        ("002A008001 30 00", "6E00"),
        ("00A404", "6700"),
        ("0020008005 31323334", "6700"),
        ("00B00000", "6700"),
        ("00B00000 0131 10", "6700"),
        ("00B0810010", "6A86"),
    ],
)
def test_refusals_of_a_fresh_card(card: VirtualCard, apdu: str, answer: str) -> None:
    assert send(card, apdu) == (b"", answer)


def test_the_label_tells_the_generation(card: VirtualCard) -> None:
    assert status(card, SELECT_JPKI, select(0x0006)) == "9000"
    assert send(card, "00B0000000") == (b"JPKIAPICCTOKEN2", "9000")
    assert send(card, "00B000000F") == (b"JPKIAPICCTOKEN2", "9000")
    assert send(card, "00B0000010") == (b"JPKIAPICCTOKEN2", "6282")
    assert send(card, "00B0000402") == (b"AP", "9000")
    assert send(card, "00B0000F00") == (b"", "9000")
    assert send(card, "00B0001000") == (b"", "6B00")


def test_an_unknown_file_leaves_the_selection_alone(card: VirtualCard) -> None:
    assert status(card, SELECT_JPKI, select(0x0006), select(0x7777)) == "6A82"
    assert send(card, "00B0000004") == (b"JPKI", "9000")


def test_selecting_an_application_selects_no_file(card: VirtualCard) -> None:
    assert status(card, SELECT_JPKI, select(0x0006), SELECT_JPKI, "00B0000000") == "6986"


def test_the_auth_certificate_needs_no_pin(authority: CertificateAuthority, kind: KeyKind) -> None:
    card = make_card(authority, kind)
    whole = card.auth_certificate.public_bytes(Encoding.DER)
    assert len(whole) > 256
    assert status(card, SELECT_JPKI, select(0x000A)) == "9000"
    assert send(card, "00B0000000") == (whole[:256], "9000")
    assert send(card, "00B0010000") == (whole[256:512], "9000")
    assert send(card, "00B00000 000000") == (whole, "9000")
    assert send(card, "00B00004 000010") == (whole[4:20], "9000")


@pytest.mark.parametrize("file", [0x000B, 0x0002])
def test_the_authority_is_on_the_card(card: VirtualCard, authority: CertificateAuthority, file: int) -> None:
    root = authority.certificate.public_bytes(Encoding.DER)
    assert status(card, SELECT_JPKI, select(file)) == "9000"
    assert send(card, "00B00000000000") == (root, "9000")


def test_the_sign_certificate_is_read_only_behind_its_own_pin(card: VirtualCard) -> None:
    read = (select(0x0001), "00B0000000")
    assert status(card, SELECT_JPKI, *read) == "6982"
    assert status(card, select(0x0018), enter("1234"), *read) == "6982"
    assert status(card, select(0x001B), enter("ABC123"), *read) == "9000"
    assert send(card, "00B00000000000")[0] == card.sign_certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("file", [0x0017, 0x001A, 0x0018, 0x001B])
def test_keys_and_pins_cannot_be_read(card: VirtualCard, file: int) -> None:
    status(card, SELECT_JPKI, select(0x0018), enter("1234"), select(0x001B), enter("ABC123"))
    assert status(card, select(file)) == "9000"
    assert send(card, "00B0000000") == (b"", "6981")


def test_signing_needs_the_keys_own_pin(card: VirtualCard) -> None:
    assert status(card, SELECT_JPKI, select(0x0017), SIGN) == "6982"
    assert status(card, select(0x001B), enter("ABC123"), select(0x0017), SIGN) == "6982"
    assert status(card, select(0x0018), enter("1234"), select(0x0017), SIGN) == "9000"


@pytest.mark.parametrize(
    ("key", "pin_file", "pin", "certificate"),
    [(0x0017, 0x0018, "1234", "auth_certificate"), (0x001A, 0x001B, "ABC123", "sign_certificate")],
)
def test_rsa_signatures_are_pkcs1_over_the_digest_info(
    card: VirtualCard, key: int, pin_file: int, pin: str, certificate: str
) -> None:
    status(card, SELECT_JPKI, select(pin_file), enter(pin), select(key))
    signature, answer = send(card, SIGN)
    assert (answer, len(signature)) == ("9000", 256)
    public = getattr(card, certificate).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"written", padding.PKCS1v15(), hashes.SHA256())
    assert send(card, SIGN[:-2]) == (signature, "9000")  # without Le, as T=0 readers send it
    extended = f"802A0080 000033 {DIGEST_INFO} 0000"
    assert send(card, extended) == (signature, "9000")


def test_p384_signatures_are_ecdsa_over_the_raw_digest(authority: CertificateAuthority) -> None:
    card = make_card(authority, KeyKind.P384)
    status(card, SELECT_JPKI, select(0x0018), enter("1234"), select(0x0017))
    signature, answer = send(card, SIGN_P384)
    assert answer == "9000"
    public = card.auth_certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, b"written", ec.ECDSA(hashes.SHA384()))
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"Written", ec.ECDSA(hashes.SHA384()))
    assert status(card, SIGN) == "6700"


@pytest.mark.parametrize("apdu", ["802A0080", "802A008000", f"802A0080 0000F6 {'30' * 246} 0000"])
def test_nothing_and_too_much_are_not_signed(card: VirtualCard, apdu: str) -> None:
    status(card, SELECT_JPKI, select(0x0018), enter("1234"), select(0x0017))
    assert send(card, apdu) == (b"", "6700")


def test_the_text_application_gives_four_attributes(card: VirtualCard) -> None:
    assert status(card, SELECT_TEXT, select(0x0002), "00B0000000") == "6982"
    assert status(card, select(0x0011), enter("5678"), select(0x0002)) == "9000"
    data, answer = send(card, "00B00000000000")
    name, address = HOLDER_A.name.encode(), HOLDER_A.address.encode()
    inner = (
        bytes.fromhex("DF22") + bytes([len(name)]) + name
        + bytes.fromhex("DF23") + bytes([len(address)]) + address
        + bytes.fromhex("DF2408") + b"19800229"
        + bytes.fromhex("DF2501") + b"2"
    )  # fmt: skip
    assert (data, answer) == (bytes.fromhex("FF20") + bytes([len(inner)]) + inner, "9000")


def test_renewal_changes_keys_and_certificates_and_keeps_the_pins(authority: CertificateAuthority) -> None:
    card = make_card(authority, KeyKind.P384)
    before = card.auth_certificate
    status(card, SELECT_JPKI, select(0x0018), enter("9999"))
    card.renew(authority, NOW)
    assert card.auth_certificate.public_key() != before.public_key()
    assert card.auth_certificate.serial_number > before.serial_number
    assert status(card, SELECT_JPKI, select(0x0018), "00200080") == "63C2"
    assert status(card, enter("1234"), select(0x0017), SIGN_P384) == "9000"


def test_renewal_closes_what_a_pin_had_opened(authority: CertificateAuthority) -> None:
    card = make_card(authority, KeyKind.P384)
    status(card, SELECT_JPKI, select(0x0018), enter("1234"))
    card.renew(authority, NOW)
    assert status(card, SELECT_JPKI, select(0x0017), SIGN_P384) == "6982"


def test_a_foreign_card_knows_no_application(authority: CertificateAuthority) -> None:
    card = VirtualCard.foreign()
    assert [status(card, aid) for aid in (SELECT_JPKI, SELECT_TEXT)] == ["6A82", "6A82"]
    with pytest.raises(AppletMissing):
        card.renew(authority, NOW)


def test_a_card_without_certificates_has_pins_and_text_only(authority: CertificateAuthority) -> None:
    card = VirtualCard.without_certificates(HOLDER_A, PINS, KeyKind.P384)
    for file in (0x000A, 0x0001, 0x0017, 0x001A):
        assert status(card, SELECT_JPKI, select(file)) == "6A82"
    assert status(card, SELECT_JPKI, select(0x0018), enter("1234")) == "9000"
    with pytest.raises(CertificateMissing):
        card.auth_certificate  # noqa: B018  # asking is the test
    card.renew(authority, NOW)
    assert status(card, SELECT_JPKI, select(0x000A), "00B0000000") == "9000"


@pytest.mark.parametrize(
    "pins",
    [
        Pins("12345", "5678", "0000", "ABC123"),
        Pins("1234", "", "0000", "ABC123"),
        Pins("1234", "5678", "００００", "ABC123"),
        Pins("1234", "5678", "0000", "abc123"),
        Pins("1234", "5678", "0000", "ABC12"),
        Pins("1234", "5678", "0000", "A" * 17),
    ],
)
def test_a_card_is_not_made_with_pins_of_another_form(pins: Pins) -> None:
    with pytest.raises(ValueError, match="PIN"):
        VirtualCard.without_certificates(HOLDER_A, pins)


def test_pins_are_not_shown() -> None:
    assert all(secret not in repr(PINS) for secret in ("1234", "5678", "0000", "ABC123"))


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=24), max_size=8))
def test_no_bytes_whatever_break_the_card_or_open_it(apdus: list[bytes]) -> None:
    card = VirtualCard.without_certificates(HOLDER_A, PINS)
    for apdu in apdus:
        data, answer = card.transmit(apdu)
        assert 0x6000 <= answer <= 0x9FFF
        assert HOLDER_A.name.encode() not in data
