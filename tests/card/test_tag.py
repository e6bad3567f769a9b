import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card.support import HOLDER_A, NOW, PINS, SELECT_JPKI, enter, make_card, reader_with, select, status
from madoguchi.card import (
    AppletMissing,
    CertificateAuthority,
    CertificateMissing,
    KeyKind,
    MemoryReader,
    Reader,
    TagKeyTooShort,
    VirtualCard,
    card_tag,
    read_card_tag,
)

_KEY = bytes(range(32))


def test_the_tag_is_a_keyed_hash_of_the_public_key(authority: CertificateAuthority, kind: KeyKind) -> None:
    card = make_card(authority, kind)
    public = card.auth_certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert card_tag(card.auth_certificate, _KEY) == hmac.new(_KEY, public, hashlib.sha256).hexdigest()


def test_the_tag_is_read_without_pin_even_when_all_pins_are_locked(
    reader: Reader, slot: MemoryReader, card: VirtualCard
) -> None:
    status(card, SELECT_JPKI, select(0x0018), *[enter("9999")] * 3)
    slot.insert(card)
    assert read_card_tag(reader, _KEY) == card_tag(card.auth_certificate, _KEY)


def test_tags_tell_cards_and_cities_apart(card: VirtualCard, other_card: VirtualCard) -> None:
    tags = {card_tag(one.auth_certificate, key) for one in (card, other_card) for key in (_KEY, _KEY[::-1])}
    assert len(tags) == 4
    assert all(len(tag) == 64 and int(tag, 16) for tag in tags)


def test_a_certificate_issued_again_for_the_same_key_keeps_the_tag(card: VirtualCard) -> None:
    again = make_card(CertificateAuthority.create(NOW))
    assert again.auth_certificate != card.auth_certificate
    assert card_tag(again.auth_certificate, _KEY) == card_tag(card.auth_certificate, _KEY)


def test_a_renewed_card_has_another_tag(authority: CertificateAuthority) -> None:
    card = make_card(authority, KeyKind.P384)
    before = card_tag(card.auth_certificate, _KEY)
    card.renew(authority, NOW)
    assert read_card_tag(reader_with(card), _KEY) != before


def test_a_short_key_is_refused(card: VirtualCard) -> None:
    with pytest.raises(TagKeyTooShort):
        card_tag(card.auth_certificate, _KEY[:15])


def test_cards_without_a_certificate_have_no_tag() -> None:
    with pytest.raises(AppletMissing):
        read_card_tag(reader_with(VirtualCard.foreign()), _KEY)
    with pytest.raises(CertificateMissing):
        read_card_tag(reader_with(VirtualCard.without_certificates(HOLDER_A, PINS)), _KEY)
