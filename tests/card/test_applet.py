"""Every status word becomes a named error."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from card.support import HOLDER_A, NOW, PINS, Scripted, make_card, reader_with
from madoguchi.card import (
    AppletMissing,
    Attributes,
    AttributesMalformed,
    Card,
    CardError,
    CardTrouble,
    CertificateAuthority,
    CertificateMissing,
    Holder,
    JpkiClient,
    JpkiPin,
    KeyKind,
    KeyMissing,
    PinLocked,
    PinMalformed,
    PinNeeded,
    PinWrong,
    Sex,
    TextClient,
    VirtualCard,
    tlv,
)


def _attributes(card: Card, pin: str = "5678") -> Attributes:
    with reader_with(card).connect() as connection:
        return TextClient(connection).attributes(pin)


def _tries(card: Card) -> tuple[int, int, int]:
    with reader_with(card).connect() as connection:
        text = TextClient(connection).tries_left()
        jpki = JpkiClient(connection)
        return jpki.tries_left(JpkiPin.AUTH), jpki.tries_left(JpkiPin.SIGN), text


def _log_in(card: Card, pin: str = "1234") -> None:
    with reader_with(card).connect() as connection:
        JpkiClient(connection).verify_auth_pin(pin)


def test_what_the_card_holds_is_read(authority: CertificateAuthority, kind: KeyKind) -> None:
    card = make_card(authority, kind)
    with reader_with(card).connect() as connection:
        client = JpkiClient(connection)
        assert client.read_auth_certificate() == card.auth_certificate
        assert client.read_sign_certificate("ABC123") == card.sign_certificate
    assert _attributes(card) == Attributes(HOLDER_A.name, HOLDER_A.address, HOLDER_A.birth, HOLDER_A.sex)


def test_a_signature_is_over_the_data(card: VirtualCard) -> None:
    with reader_with(card).connect() as connection:
        client = JpkiClient(connection)
        client.verify_auth_pin("1234")
        signature = client.sign_auth(b"written")
    public = card.auth_certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"written", padding.PKCS1v15(), hashes.SHA256())


def test_signing_without_pin_says_what_is_needed(card: VirtualCard) -> None:
    with reader_with(card).connect() as connection, pytest.raises(PinNeeded):
        JpkiClient(connection).sign_auth(b"written")


def test_long_attributes_are_read_whole(authority: CertificateAuthority) -> None:
    holder = Holder("架空 " + "長" * 60, "カクウ", "架空県" + "町" * 190, HOLDER_A.birth, Sex.UNKNOWN)
    found = _attributes(VirtualCard.make(holder, PINS, authority, NOW, KeyKind.P384))
    assert (found.name, found.address, found.sex) == (holder.name, holder.address, Sex.UNKNOWN)


def test_attributes_are_not_shown(card: VirtualCard) -> None:
    assert repr(_attributes(card)) == "Attributes()"


def test_a_wrong_pin_says_how_many_tries_are_left(card: VirtualCard) -> None:
    for left in (2, 1):
        with pytest.raises(PinWrong) as raised:
            _log_in(card, "9999")
        assert raised.value.tries_left == left
        assert f"あと{left}回" in raised.value.sentence
    for pin in ("9999", "1234"):
        with pytest.raises(PinLocked):
            _log_in(card, pin)
    assert _tries(card) == (0, 5, 3)


def test_every_pin_has_its_own_count(card: VirtualCard) -> None:
    with reader_with(card).connect() as connection, pytest.raises(PinWrong):
        JpkiClient(connection).read_sign_certificate("WRONG1")
    with pytest.raises(PinWrong):
        _attributes(card, "1234")
    assert _tries(card) == (3, 4, 2)


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "１２３４", "1234\n", "-123"])
def test_a_pin_of_another_form_costs_no_try(card: VirtualCard, pin: str) -> None:
    with pytest.raises(PinMalformed):
        _log_in(card, pin)
    with pytest.raises(PinMalformed):
        _attributes(card, pin)
    with reader_with(card).connect() as connection, pytest.raises(PinMalformed):
        JpkiClient(connection).read_sign_certificate(pin)
    assert _tries(card) == (3, 5, 3)


def test_a_foreign_card_is_named_as_such() -> None:
    with reader_with(VirtualCard.foreign()).connect() as connection:
        for client in (JpkiClient, TextClient):
            with pytest.raises(AppletMissing):
                client(connection)


def test_a_missing_certificate_is_named_as_such() -> None:
    bare = VirtualCard.without_certificates(HOLDER_A, PINS)
    with reader_with(bare).connect() as connection:
        client = JpkiClient(connection)
        with pytest.raises(CertificateMissing):
            client.read_auth_certificate()
        with pytest.raises(CertificateMissing):
            client.read_sign_certificate("ABC123")
        with pytest.raises(CertificateMissing):
            client.sign_auth(b"written")


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 256,
        b"\xff" * 256,
        b"\x30",
        b"\x30\x00",
        b"\x30\x82\xff\xff" + b"\0" * 252,
        b"\x30\x82\x01\x00ab",
        b"\x30\x05\x0c\x03abc",
    ],
)
def test_a_file_that_holds_no_certificate_is_a_missing_one(card: VirtualCard, content: bytes) -> None:
    scripted = Scripted(card, (content[:6], 0x9000), ins=0xB0, file=0x000A)
    with reader_with(scripted).connect() as connection, pytest.raises(CertificateMissing):
        JpkiClient(connection).read_auth_certificate()


def test_a_file_longer_than_offsets_reach_is_not_read(card: VirtualCard) -> None:
    long = _Text(card, bytes.fromhex("3082FFFF") + bytes(0xFFFF))
    with reader_with(long).connect() as connection, pytest.raises(CertificateMissing):
        JpkiClient(connection).read_auth_certificate()
    assert long.reads == 1


def test_a_file_that_ends_early_is_no_certificate(card: VirtualCard) -> None:
    scripted = Scripted(card, (b"", 0x6282), ins=0xB0, file=0x000A)
    with reader_with(scripted).connect() as connection, pytest.raises(CertificateMissing):
        JpkiClient(connection).read_auth_certificate()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (0x63C2, PinWrong(2)),
        (0x63C0, PinLocked()),
        (0x6983, PinLocked()),
        (0x6984, PinLocked()),
        (0x6982, PinNeeded()),
        (0x6A88, KeyMissing()),
        (0x6700, CardTrouble(0x6700)),
        (0x6F00, CardTrouble(0x6F00)),
        (0x0000, CardTrouble(0x0000)),
        (0x9001, CardTrouble(0x9001)),
        (0x61FF, CardTrouble(0x61FF)),
    ],
)
def test_status_words_become_named_errors(card: VirtualCard, answer: int, error: CardError) -> None:
    with pytest.raises(type(error)) as raised:
        _log_in(Scripted(card, (b"", answer), ins=0x20))
    assert (raised.value.sentence, raised.value.args) == (error.sentence, error.args)


@given(st.integers(0, 0xFFFF).filter(lambda status: status != 0x9000))
def test_no_status_word_but_9000_lets_a_pin_or_a_signature_pass(answer: int) -> None:
    authority = CertificateAuthority.create(NOW)
    card = make_card(authority, KeyKind.P384)
    with pytest.raises(CardError):
        _log_in(Scripted(card, (b"", answer), ins=0x20))
    with reader_with(Scripted(card, (b"signature", answer), ins=0x2A)).connect() as connection:
        client = JpkiClient(connection)
        client.verify_auth_pin("1234")
        with pytest.raises(CardError):
            client.sign_auth(b"written")


@pytest.mark.parametrize("answer", [0x63C0, 0x6983, 0x6984])
def test_a_locked_pin_has_no_tries_however_the_card_says_so(card: VirtualCard, answer: int) -> None:
    assert _tries(Scripted(card, (b"", answer), ins=0x20)) == (0, 0, 0)


def test_an_odd_answer_to_the_question_for_tries_is_no_number(card: VirtualCard) -> None:
    with reader_with(Scripted(card, (b"", 0x9000), ins=0x20)).connect() as connection, pytest.raises(CardTrouble):
        JpkiClient(connection).tries_left(JpkiPin.AUTH)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {0xDF22: b"a", 0xDF23: b"b", 0xDF24: b"19800229"},
        {0xDF22: b"a", 0xDF23: b"b", 0xDF24: b"19800230", 0xDF25: b"2"},
        {0xDF22: b"a", 0xDF23: b"b", 0xDF24: b"19800229", 0xDF25: b"7"},
        {0xDF22: b"\xff", 0xDF23: b"b", 0xDF24: b"19800229", 0xDF25: b"2"},
    ],
)
def test_attributes_of_another_form_are_refused(card: VirtualCard, fields: dict[int, bytes]) -> None:
    content = tlv.encode(0xFF20, tlv.encode_all(fields))
    with pytest.raises(AttributesMalformed):
        _attributes(_Text(card, content))


class _Text:
    """A card all of whose files are these bytes."""

    def __init__(self, card: Card, content: bytes) -> None:
        self._card = card
        self._content = content
        self.reads = 0

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        if apdu[1] != 0xB0:
            return self._card.transmit(apdu)
        self.reads += 1
        offset = int.from_bytes(apdu[2:4], "big")
        return self._content[offset : offset + (apdu[4] or 256)], 0x9000

    def power_off(self) -> None:
        self._card.power_off()
