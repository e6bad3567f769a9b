"""A write is accepted for the card that is there and proven, and for nothing else."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from card.support import HOLDER_A, HOLDER_B, NOW, PINS, SELECT_JPKI, Meddled, make_card, reader_with, select, status
from madoguchi.card import (
    Act,
    ActMalformed,
    AppletMissing,
    CardError,
    CardRemoved,
    CertificateAuthority,
    CertificateMissing,
    JpkiClient,
    JpkiPin,
    KeyKind,
    MemoryReader,
    NoCard,
    OtherCard,
    PinLocked,
    PinMalformed,
    PinWrong,
    Proof,
    ProofInvalid,
    Reader,
    ReaderLost,
    VirtualCard,
    check_proof,
    digest_of,
    prove,
)

ACT = Act("nonce-0001", "https://points.example", "register", digest_of({"service": "架空ペイ", "id": "k-1"}))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_ACTS = st.builds(Act, _TEXT, _TEXT, _TEXT, _TEXT)


def _tries(card: VirtualCard) -> int:
    with reader_with(card).connect() as connection:
        return JpkiClient(connection).tries_left(JpkiPin.AUTH)


@pytest.fixture(scope="module")
def signer() -> tuple[MemoryReader, x509.Certificate]:
    return _signer(KeyKind.RSA2048)


def _signer(kind: KeyKind) -> tuple[MemoryReader, x509.Certificate]:
    card = make_card(CertificateAuthority.create(NOW), kind)
    return reader_with(card), card.auth_certificate


def test_a_proof_holds_for_its_card_and_act(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    proof = prove(reader, "1234", ACT)
    check_proof(proof, ACT, pinned=card.auth_certificate)
    check_proof(Proof.from_json(proof.to_json()), ACT, pinned=card.auth_certificate)


def test_the_next_generation_proves_too() -> None:
    reader, pinned = _signer(KeyKind.P384)
    proof = prove(reader, "1234", ACT, pinned=pinned)
    check_proof(proof, ACT, pinned=pinned)
    with pytest.raises(ProofInvalid):
        check_proof(proof, replace(ACT, nonce="nonce-0002"), pinned=pinned)


def test_what_is_signed_is_canonical_json() -> None:
    act = Act("ん", "https://a.example", 'say "x"\n', "0f")
    assert (
        act.canonical() == '{"act":"say \\"x\\"\\n","digest":"0f","nonce":"ん","origin":"https://a.example"}'.encode()
    )


def test_the_digest_does_not_depend_on_the_order_of_fields() -> None:
    assert digest_of({"a": 1, "b": "い"}) == digest_of({"b": "い", "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert len(digest_of({})) == 64


@given(_ACTS, _ACTS)
def test_different_acts_have_different_bytes(one: Act, other: Act) -> None:
    assert (one == other) == (one.canonical() == other.canonical())


@pytest.mark.parametrize("field", ["nonce", "origin", "act", "digest"])
@pytest.mark.parametrize("value", ["", None, 7, "\ud800"])
def test_an_act_is_four_texts(field: str, value: object) -> None:
    with pytest.raises(ActMalformed):
        replace(ACT, **{field: value})  # type: ignore[arg-type]  # that is the attack


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": 2**60}, {"a": b"x"}, {1: "a"}, {"a": "\ud800"}])
def test_what_json_cannot_hold_has_no_digest(data: dict[str, object]) -> None:
    with pytest.raises(ActMalformed):
        digest_of(data)


# --- attacks on what is presented


@settings(max_examples=60, deadline=None)
@given(act=_ACTS, other=_ACTS)
def test_a_proof_is_good_for_no_other_act(signer: tuple[MemoryReader, x509.Certificate], act: Act, other: Act) -> None:
    reader, pinned = signer
    proof = prove(reader, "1234", act)
    check_proof(proof, act, pinned=pinned)
    if other != act:
        with pytest.raises(ProofInvalid):
            check_proof(proof, other, pinned=pinned)


@pytest.mark.parametrize("field", ["nonce", "origin", "act", "digest"])
@pytest.mark.parametrize("kind", list(KeyKind))
def test_each_field_is_covered(field: str, kind: KeyKind) -> None:
    reader, pinned = _signer(kind)
    proof = prove(reader, "1234", ACT)
    changed = replace(ACT, **{field: getattr(ACT, field) + "0"})
    with pytest.raises(ProofInvalid):
        check_proof(proof, changed, pinned=pinned)


def test_fields_cannot_flow_into_each_other(signer: tuple[MemoryReader, x509.Certificate]) -> None:
    reader, pinned = signer
    proof = prove(reader, "1234", Act("n", "ab", "c", "d"))
    for other in (Act("n", "a", "bc", "d"), Act("ab", "n", "c", "d"), Act("n", "ab", "d", "c")):
        with pytest.raises(ProofInvalid):
            check_proof(proof, other, pinned=pinned)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 2047))
def test_a_changed_signature_is_refused(signer: tuple[MemoryReader, x509.Certificate], bit: int) -> None:
    reader, pinned = signer
    proof = prove(reader, "1234", ACT)
    forged = (int.from_bytes(proof.signature, "big") ^ 1 << bit).to_bytes(256, "big")
    with pytest.raises(ProofInvalid):
        check_proof(Proof(proof.certificate, forged), ACT, pinned=pinned)


@settings(max_examples=60, deadline=None)
@given(signature=st.binary(max_size=300))
@pytest.mark.parametrize("kind", list(KeyKind))
def test_an_invented_signature_is_refused(kind: KeyKind, signature: bytes) -> None:
    pinned = _CERTIFICATES[kind]
    with pytest.raises(ProofInvalid):
        check_proof(Proof(pinned, signature), ACT, pinned=pinned)


_CERTIFICATES: dict[KeyKind, x509.Certificate] = {}


@pytest.fixture(autouse=True, scope="module")
def _certificates() -> None:
    _CERTIFICATES.update({kind: _signer(kind)[1] for kind in KeyKind})


def test_another_persons_proof_is_refused(card: VirtualCard, other_card: VirtualCard) -> None:
    proof = prove(reader_with(other_card), "1234", ACT)
    with pytest.raises(OtherCard):
        check_proof(proof, ACT, pinned=card.auth_certificate)


def test_a_borrowed_certificate_does_not_help(card: VirtualCard, other_card: VirtualCard) -> None:
    proof = prove(reader_with(other_card), "1234", ACT)
    with pytest.raises(ProofInvalid):
        check_proof(Proof(card.auth_certificate, proof.signature), ACT, pinned=card.auth_certificate)


def test_a_forged_certificate_over_the_same_key_is_another_card(card: VirtualCard) -> None:
    forger = make_card(CertificateAuthority.create(NOW))
    assert forger.auth_certificate.public_key() == card.auth_certificate.public_key()
    with pytest.raises(OtherCard):
        check_proof(prove(reader_with(forger), "1234", ACT), ACT, pinned=card.auth_certificate)


def test_the_signing_certificate_is_not_the_pinned_one(card: VirtualCard) -> None:
    proof = prove(reader_with(card), "1234", ACT)
    with pytest.raises(OtherCard):
        check_proof(Proof(card.sign_certificate, proof.signature), ACT, pinned=card.auth_certificate)


def test_after_renewal_the_old_pin_is_void(authority: CertificateAuthority) -> None:
    card = make_card(authority, KeyKind.P384)
    pinned = card.auth_certificate
    card.renew(authority, NOW)
    with pytest.raises(OtherCard):
        prove(reader_with(card), "1234", ACT, pinned=pinned)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_the_other_generations_signature_does_not_fit(kind: KeyKind) -> None:
    other = KeyKind.P384 if kind is KeyKind.RSA2048 else KeyKind.RSA2048
    reader, _ = _signer(other)
    pinned = _CERTIFICATES[kind]
    with pytest.raises(ProofInvalid):
        check_proof(Proof(pinned, prove(reader, "1234", ACT).signature), ACT, pinned=pinned)


@pytest.mark.parametrize(
    "change",
    [
        {"certificate": "AAAA"},
        {"certificate": "not base64!"},
        {"certificate": 7},
        {"certificate": None},
        {"signature": "=="},
        {"signature": ["AAAA"]},
        {"pin": "1234"},
    ],
)
def test_a_proof_of_another_form_is_refused(
    signer: tuple[MemoryReader, x509.Certificate], change: dict[str, object]
) -> None:
    good = prove(signer[0], "1234", ACT).to_json()
    with pytest.raises(ProofInvalid):
        Proof.from_json(good | change)


@pytest.mark.parametrize("data", [None, [], "proof", {}, {"signature": "AAAA"}])
def test_no_proof_is_refused(data: object) -> None:
    with pytest.raises(ProofInvalid):
        Proof.from_json(data)


# --- attacks on the use of the card


def _apdus_of_a_proof(authority: CertificateAuthority) -> int:
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    card = make_card(authority)
    slot = MemoryReader("数える架空リーダー")
    slot.insert(_Counting(card, count))
    prove(slot, "1234", ACT)
    return counted


class _Counting(Meddled):
    def __init__(self, card: VirtualCard, count: Callable[[], None]) -> None:
        super().__init__(card, 0, count)
        self._count = count

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        self._count()
        return super().transmit(apdu)


def _auth_key_is_closed(card: VirtualCard) -> bool:
    return status(card, SELECT_JPKI, select(0x0017), "802A0080023031") == "6982"


def test_removal_before_any_apdu_leaves_no_proof(
    reader: Reader, slot: MemoryReader, card: VirtualCard, authority: CertificateAuthority
) -> None:
    for index in range(1, _apdus_of_a_proof(authority) + 1):
        slot.insert(card)
        slot.pull_at(index)
        with pytest.raises(CardRemoved):
            prove(reader, "1234", ACT, pinned=card.auth_certificate)
        assert _auth_key_is_closed(card)
        with pytest.raises(NoCard):
            prove(reader, "1234", ACT)
    slot.insert(card)
    check_proof(prove(reader, "1234", ACT), ACT, pinned=card.auth_certificate)


def test_removal_while_the_card_computes_leaves_no_proof(
    reader: Reader, slot: MemoryReader, card: VirtualCard, authority: CertificateAuthority
) -> None:
    for index in range(1, _apdus_of_a_proof(authority) + 1):
        slot.insert(Meddled(card, index, slot.remove))
        with pytest.raises(CardRemoved):
            prove(reader, "1234", ACT)
        assert _auth_key_is_closed(card)


def test_a_swap_at_any_apdu_leaves_no_proof_and_spares_the_other_card(
    reader: Reader, slot: MemoryReader, card: VirtualCard, other_card: VirtualCard, authority: CertificateAuthority
) -> None:
    for index in range(1, _apdus_of_a_proof(authority) + 1):
        heard: list[None] = []
        watched = _Counting(other_card, partial(heard.append, None))
        slot.insert(Meddled(card, index, partial(slot.swap, watched)))
        with pytest.raises(CardRemoved):
            prove(reader, "1234", ACT)
        assert slot.card is watched
        assert heard == []
        slot.remove()


def test_a_reader_lost_at_any_apdu_leaves_no_proof(
    reader: Reader, slot: MemoryReader, card: VirtualCard, authority: CertificateAuthority
) -> None:
    for index in range(1, _apdus_of_a_proof(authority) + 1):
        slot.insert(Meddled(card, index, slot.lose))
        with pytest.raises(ReaderLost):
            prove(reader, "1234", ACT)
        slot.remove()
        slot.recover()
        assert _auth_key_is_closed(card)


def test_a_card_swapped_between_two_operations_is_not_asked_for_its_pin(
    reader: Reader, slot: MemoryReader, card: VirtualCard, other_card: VirtualCard
) -> None:
    slot.insert(card)
    pinned = prove(reader, "1234", ACT).certificate
    slot.swap(other_card)
    with pytest.raises(OtherCard):
        prove(reader, "9999", replace(ACT, nonce="nonce-0002"), pinned=pinned)
    assert _tries(other_card) == 3


def test_without_a_pin_check_of_its_own_the_site_still_refuses_the_swapped_card(
    slot: MemoryReader, card: VirtualCard, other_card: VirtualCard
) -> None:
    slot.insert(card)
    pinned = prove(slot, "1234", ACT).certificate
    slot.swap(other_card)
    with pytest.raises(OtherCard):
        check_proof(prove(slot, "1234", ACT), ACT, pinned=pinned)


def test_a_card_left_on_the_reader_proves_nothing_without_its_pin(
    reader: Reader, slot: MemoryReader, card: VirtualCard
) -> None:
    slot.insert(card)
    prove(reader, "1234", ACT)
    for pin, error in (("0000", PinWrong), ("1111", PinWrong), ("2222", PinLocked), ("1234", PinLocked)):
        with pytest.raises(error):
            prove(reader, pin, replace(ACT, nonce="nonce-0002"))


def test_a_malformed_pin_is_not_sent(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    with pytest.raises(PinMalformed):
        prove(reader, "12345", ACT)
    slot.remove()
    assert _tries(card) == 3


@pytest.mark.parametrize(
    ("card", "error"),
    [(VirtualCard.foreign(), AppletMissing), (VirtualCard.without_certificates(HOLDER_A, PINS), CertificateMissing)],
)
def test_cards_that_cannot_prove_say_why(card: VirtualCard, error: type[CardError]) -> None:
    with pytest.raises(error):
        prove(reader_with(card), "1234", ACT)


# --- the PIN is kept nowhere


def _texts_within(*roots: object) -> Iterator[str]:
    """Every text and byte string that can be reached from the roots, without going through classes and functions."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, type) or callable(thing):
            continue
        seen.add(id(thing))
        if isinstance(thing, str | bytes):
            yield thing if isinstance(thing, str) else thing.decode("latin-1")
        stack.extend(gc.get_referents(thing))
        stack.extend(vars(thing).values() if hasattr(thing, "__dict__") else [])


def test_the_pin_is_on_nothing_that_remains(authority: CertificateAuthority) -> None:
    card = VirtualCard.make(HOLDER_B, replace(PINS, auth="7391"), authority, NOW, KeyKind.P384)
    assert any("7391" in text for text in _texts_within(card))  # the search finds what is there
    slot = MemoryReader("架空リーダー")
    slot.insert(card)
    with slot.connect() as connection:
        client = JpkiClient(connection)
        client.verify_auth_pin("7391")
        with pytest.raises(PinWrong) as raised:
            client.verify_auth_pin("7392")
    proof = prove(slot, "7391", ACT)
    slot.remove()
    connection._card = None  # type: ignore[attr-defined]  # the card itself may know its PIN
    kept = list(_texts_within(proof, slot, client, connection, raised.value.args, vars(raised.value)))
    assert kept
    assert not any(pin in text for text in kept for pin in ("7391", "7392"))
