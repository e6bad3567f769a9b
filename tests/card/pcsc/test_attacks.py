"""A write is accepted only for the card that is there: attacked at every APDU, with swaps, kills and other programs."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from cryptography import x509

from card.pcsc.support import READER, SOON, Hand, await_empty, code_of, lies, program, until
from card.support import HOLDER_A, PINS, SELECT_JPKI, Meddled, make_card, select, status
from card.test_proof import ACT, _auth_key_is_closed
from madoguchi.card import (
    AppletMissing,
    CardInUse,
    CardRemoved,
    CertificateAuthority,
    CertificateMissing,
    JpkiClient,
    JpkiPin,
    KeyKind,
    NoCard,
    OtherCard,
    PinLocked,
    PinWrong,
    VirtualCard,
    check_proof,
    prove,
    read_card_tag,
)
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcscd import PrivatePcscd

pytestmark = pytest.mark.slow

_HOLDING = """
    import sys
    from madoguchi.card import JpkiClient
    from madoguchi.card.pcsc import PcscReader

    with PcscReader(sys.argv[1]).connect() as connection:
        JpkiClient(connection).verify_auth_pin("1234")
        print("ready", flush=True)
        sys.stdin.read()
"""

_SHARING = """
    import sys
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    code, card, protocol = scard.SCardConnect(context, sys.argv[1], scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
    assert code == 0
    for apdu in sys.argv[2:]:
        code, answer = scard.SCardTransmit(card, protocol, list(bytes.fromhex(apdu)))
        assert (code, answer[-2:]) == (0, [0x90, 0x00])
    print("ready", flush=True)
    sys.stdin.read()
"""
_LOG_IN = (SELECT_JPKI, "00A4020C020018", "0020008004 31323334")


@pytest.fixture
def p384(authority: CertificateAuthority, slot: Hand) -> VirtualCard:  # noqa: ARG001  # see `card`
    """The short certificate: fewer APDUs, the same steps."""
    return make_card(authority, KeyKind.P384)


@pytest.fixture
def apdus(p384: VirtualCard, slot: Hand) -> int:
    """How many APDUs a write takes."""
    counted: list[None] = []

    class Counting(Meddled):
        def transmit(self, apdu: bytes) -> tuple[bytes, int]:
            counted.append(None)
            return super().transmit(apdu)

    slot.insert(Counting(p384, 0, lambda: None))
    check_proof(prove(slot.reader, "1234", ACT), ACT, pinned=p384.auth_certificate)
    slot.remove()
    return len(counted)


def _accepted(reader: PcscReader, pinned: x509.Certificate, *, error: str) -> bool:
    """Whether a registry takes the write; if not, it must be for the right reason."""

    def write() -> None:
        check_proof(prove(reader, "1234", ACT, pinned=pinned), ACT, pinned=pinned)

    found = code_of(write)
    assert found in ("", error)
    return not found


def test_removal_before_any_apdu_of_a_write(slot: Hand, p384: VirtualCard, apdus: int) -> None:
    """Under watch: each removal is also seen, once."""
    accepted, known = 0, slot.state()
    for index in range(1, apdus + 1):
        slot.insert(p384)
        slot.slot.pull_at(index)
        accepted += _accepted(slot.reader, p384.auth_certificate, error="CardRemoved")
        until(lambda: _auth_key_is_closed(p384))
        assert code_of(lambda: prove(slot.reader, "1234", ACT)) == "NoCard"
        await_empty()
        assert slot.wait(known, 0) == (False, known.counter + 2)
        known = slot.state()
    assert (accepted, apdus) == (0, 10)


def test_removal_while_the_card_computes(slot: Hand, service: PrivatePcscd, p384: VirtualCard, apdus: int) -> None:
    accepted = 0
    for index in range(1, apdus + 1):
        slot.insert(Meddled(p384, index, slot.slot.remove))
        accepted += _accepted(slot.reader, p384.auth_certificate, error="CardRemoved")
        _start_afresh(service)
    assert accepted == 0


def test_an_instant_swap_at_any_apdu_spares_the_other_card(
    slot: Hand, service: PrivatePcscd, p384: VirtualCard, other_card: VirtualCard, apdus: int
) -> None:
    accepted = 0
    for index in range(1, apdus + 1):
        heard: list[bytes] = []
        slot.insert(Meddled(p384, index, partial(slot.slot.swap, _Listening(other_card, heard))))
        accepted += _accepted(slot.reader, p384.auth_certificate, error="CardRemoved")
        assert heard == []
        slot.slot.remove()
        _start_afresh(service)
    assert accepted == 0


def test_pcscd_killed_at_any_apdu(slot: Hand, service: PrivatePcscd, p384: VirtualCard, apdus: int) -> None:
    accepted = 0
    for index in range(1, apdus + 1):
        slot.insert(Meddled(p384, index, service.kill))
        accepted += _accepted(slot.reader, p384.auth_certificate, error="ReaderLost")
        slot.slot.remove()
        until(lambda: _auth_key_is_closed(p384))
        _start_afresh(service)
    assert accepted == 0


def _start_afresh(service: PrivatePcscd) -> None:
    """Quicker than to wait until pcscd has noticed that the card is gone."""
    service.start()
    await_empty()


class _Listening(Meddled):
    def __init__(self, card: VirtualCard, heard: list[bytes]) -> None:
        super().__init__(card, 0, lambda: None)
        self._heard = heard

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        self._heard.append(apdu)
        return super().transmit(apdu)


def test_pcscd_itself_goes_on_with_the_other_card_and_a_use_does_not(
    slot: Hand, card: VirtualCard, other_card: VirtualCard
) -> None:
    """The trap: after one or two failures the same handle answers again, from another card, and no counter tells."""
    from smartcard import scard

    slot.insert(card)
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    _, handle, protocol = scard.SCardConnect(context, READER, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1)
    slot.slot.swap(other_card)
    apdu = list(bytes.fromhex(SELECT_JPKI))
    until(lambda: scard.SCardTransmit(handle, protocol, apdu)[0] == scard.SCARD_S_SUCCESS or not lies())
    scard.SCardReleaseContext(context)
    slot.remove()

    slot.insert(card)
    heard: list[bytes] = []
    with slot.connect() as connection:
        slot.slot.swap(_Listening(other_card, heard))
        for _ in range(10):
            with pytest.raises(CardRemoved):
                connection.transmit(bytes.fromhex(SELECT_JPKI))
            time.sleep(0.05)
    assert heard == []


def test_a_swap_that_pcscd_misses_shows_as_a_jump_to_whoever_watches(
    slot: Hand, card: VirtualCard, other_card: VirtualCard
) -> None:
    slot.insert(card)
    known = slot.state()
    with slot.connect() as connection:
        slot.slot.swap(other_card)
        with pytest.raises(CardRemoved):
            connection.transmit(bytes.fromhex(SELECT_JPKI))
    assert slot.wait(known, SOON).counter > known.counter


def test_a_card_swapped_between_two_uses_is_refused_before_its_pin(
    slot: Hand, card: VirtualCard, other_card: VirtualCard
) -> None:
    slot.insert(card)
    pinned = prove(slot.reader, "1234", ACT).certificate
    slot.slot.swap(other_card)
    again = replace(ACT, nonce="nonce-0002")
    refusals = {code_of(lambda: prove(slot.reader, "9999", again, pinned=pinned)) for _ in range(5)}
    assert OtherCard.__name__ in refusals
    assert refusals <= {"OtherCard", "CardRemoved", "CardSilent", "NoCard"}
    assert status(other_card, SELECT_JPKI, select(0x0018), "00200080") == "63C3"


def test_another_process_holds_the_card(service: PrivatePcscd, slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    known = slot.state()
    with program(service, _HOLDING, READER) as other:
        with pytest.raises(CardInUse):
            prove(slot.reader, "1234", ACT)
        assert slot.wait(known, 0) == known
        other.kill()
        other.wait(SOON)
        _await_free(slot)
    check_proof(prove(slot.reader, "1234", ACT), ACT, pinned=card.auth_certificate)


def _await_free(slot: Hand) -> None:
    """pcscd learns of the death of a program a moment after it."""
    until(lambda: code_of(lambda: prove(slot.reader, "1234", ACT)) != "CardInUse")


def test_another_process_that_shares_the_card_keeps_us_out_and_never_gets_our_pin(
    service: PrivatePcscd, slot: Hand, card: VirtualCard
) -> None:
    slot.insert(card)
    with program(service, _SHARING, READER, SELECT_JPKI), pytest.raises(CardInUse):
        prove(slot.reader, "1234", ACT)
    _await_free(slot)
    with slot.connect() as connection:
        JpkiClient(connection).verify_auth_pin("1234")
        with pytest.raises(AssertionError), program(service, _SHARING, READER, SELECT_JPKI):
            pass


def test_a_pin_verified_by_a_killed_process_is_worth_nothing(
    service: PrivatePcscd, slot: Hand, card: VirtualCard
) -> None:
    slot.insert(card)
    with program(service, _SHARING, READER, *_LOG_IN) as other:
        other.kill()
        other.wait(SOON)
        assert status(card, SELECT_JPKI, select(0x0017), "802A0080") == "6700"  # the danger is real: the key is open
        while (answer := code_of(lambda: _sign_without_pin(slot))) == "CardInUse":
            time.sleep(0.005)  # pcscd learns of the death a moment later
        assert answer == "PinNeeded"


def _sign_without_pin(slot: Hand) -> None:
    with slot.connect() as connection:
        JpkiClient(connection).sign_auth(b"written")


def test_a_wrong_pin_counts_down_and_locks_for_good(slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    for pin, error in (("0000", PinWrong(2)), ("1111", PinWrong(1)), ("2222", PinLocked()), ("1234", PinLocked())):
        with pytest.raises(type(error)) as raised:
            prove(slot.reader, pin, ACT)
        assert raised.value.args == error.args
    slot.remove()
    slot.insert(card)
    with pytest.raises(PinLocked):
        prove(slot.reader, "1234", ACT)
    with slot.connect() as connection:
        assert JpkiClient(connection).tries_left(JpkiPin.AUTH) == 0


@pytest.mark.parametrize(
    ("stranger", "error"),
    [(VirtualCard.foreign(), AppletMissing), (VirtualCard.without_certificates(HOLDER_A, PINS), CertificateMissing)],
)
def test_cards_that_are_nobodys_are_named_as_such(slot: Hand, stranger: VirtualCard, error: type[Exception]) -> None:
    slot.insert(stranger)
    uses: list[Callable[[], object]] = [
        lambda: prove(slot.reader, "1234", ACT),
        lambda: read_card_tag(slot.reader, bytes(32)),
    ]
    for use in uses:
        with pytest.raises(error):
            use()
    slot.remove()
    with pytest.raises(NoCard):
        prove(slot.reader, "1234", ACT)
