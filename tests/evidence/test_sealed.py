"""Personal payloads: a commitment that tells nothing, a seal that opens in one place only."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.evidence.errors import CommitmentMismatch, EvidenceError, SealBroken
from madoguchi.evidence.sealed import check_commitment, commit, key_id, new_salt, seal, unseal

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32
PLACE = "visits_signature|sealed|1"
DRAWING: dict[str, Any] = {"strokes": [[[1, 2, 3]]], "width": 600, "height": 200}


def test_a_commitment_holds_for_its_payload_and_salt() -> None:
    salt = new_salt()
    check_commitment(commit(salt, DRAWING), salt, DRAWING)


def test_the_same_payload_never_looks_the_same() -> None:
    commitments = {commit(new_salt(), {"account": "1234567"}) for _ in range(50)}
    assert len(commitments) == 50
    assert all(len(base64.b64decode(salt)) == 32 for salt in (new_salt(), new_salt()))


@given(st.integers(0, 2), st.integers(-3, 3).filter(bool))
def test_a_changed_payload_is_found(index: int, by: int) -> None:
    salt = new_salt()
    point = [1, 2, 3]
    point[index] += by
    with pytest.raises(CommitmentMismatch):
        check_commitment(commit(salt, DRAWING), salt, {**DRAWING, "strokes": [[point]]})


def test_another_salt_is_found() -> None:
    with pytest.raises(CommitmentMismatch):
        check_commitment(commit(new_salt(), DRAWING), new_salt(), DRAWING)


@pytest.mark.parametrize("salt", ["", "AAAA", base64.b64encode(bytes(31)).decode(), "あ", "*" + "A" * 43, "A" * 43])
def test_a_salt_that_is_none_is_refused(salt: str) -> None:
    """Without salt the commitment of a seven-digit number is found by trying all of them."""
    with pytest.raises(ValueError, match=r".+"):
        commit(salt, DRAWING)
    with pytest.raises(CommitmentMismatch):
        check_commitment(commit(new_salt(), DRAWING), salt, DRAWING)


@pytest.mark.parametrize("commitment", ["", "署名", "A" * 44, "\ud800"])
def test_what_is_no_commitment_fits_nothing(commitment: str) -> None:
    with pytest.raises(CommitmentMismatch):
        check_commitment(commitment, new_salt(), DRAWING)


def test_a_payload_is_committed_to_by_what_it_says_not_by_how_it_is_written() -> None:
    salt = new_salt()
    turned = dict(reversed(list(DRAWING.items())))
    check_commitment(commit(salt, DRAWING), salt, turned)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_a_key_of_another_length_seals_nothing(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        seal(bytes(length), PLACE, b"x")


def test_a_seal_names_its_key_and_the_name_tells_nothing() -> None:
    assert seal(KEY, PLACE, b"x").startswith(key_id(KEY))
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert key_id(KEY) not in KEY + hashlib.sha256(KEY).digest()


def test_a_seal_relabelled_with_another_keys_name_does_not_open() -> None:
    sealed = seal(KEY, PLACE, b"x")
    with pytest.raises(SealBroken):
        unseal(OTHER_KEY, PLACE, key_id(OTHER_KEY) + sealed[8:])


@pytest.mark.parametrize(
    "place", ["", "visits_signature|sealed", "visits_signature|sealed|11", "visits_signature|sealed|1 "]
)
def test_a_place_that_only_resembles_does_not_open(place: str) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, place, seal(KEY, PLACE, b"x"))


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40))
def test_a_seal_opens_in_its_place(plain: bytes, place: str) -> None:
    assert unseal(KEY, place, seal(KEY, place, plain)) == plain


def test_a_ciphertext_pasted_on_another_row_does_not_open() -> None:
    sealed = seal(KEY, PLACE, b"A's strokes")
    with pytest.raises(SealBroken):
        unseal(KEY, "visits_signature|sealed|2", sealed)


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        unseal(OTHER_KEY, PLACE, seal(KEY, PLACE, b"x"))


def test_every_changed_byte_is_found() -> None:
    sealed = seal(KEY, PLACE, b"strokes")
    for place in range(len(sealed)):
        broken = bytearray(sealed)
        broken[place] ^= 0x80
        with pytest.raises(SealBroken):
            unseal(KEY, PLACE, bytes(broken))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 19, 20, 35])
def test_a_cut_ciphertext_is_found(length: int) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, PLACE, seal(KEY, PLACE, b"strokes")[:length])


def test_no_two_seals_share_a_nonce() -> None:
    assert len({seal(KEY, PLACE, b"x")[8:20] for _ in range(200)}) == 200


def test_every_error_tells_what_to_do() -> None:
    kinds: list[type[EvidenceError]] = [EvidenceError, *EvidenceError.__subclasses__()]
    for kind in kinds:
        assert kind.sentence.endswith("。")
        assert kind().code == kind.__name__
