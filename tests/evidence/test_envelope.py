"""Signatures over canonical JSON, attacked."""

import base64
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.evidence.envelope import canonical, private_bytes, public_from_text, public_text, sign, verify
from madoguchi.evidence.errors import BadSignature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
EVENT = {"id": "a", "seq": 1, "body": {"cause": "finish", "n": [1, 2]}}

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), plain, max_size=5)


def test_canonical_is_rfc_8785() -> None:
    # the sorting example of RFC 8785, section 3.2.3
    given = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = [line.split('"')[3] for line in canonical(given).decode().split(",")]
    assert order == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


@given(objects)
def test_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical(value) == canonical(turned)
    verify(turned, sign(value, KEY), KEY.public_key())


@given(objects, objects)
def test_a_signature_fits_one_content_only(value: dict[str, Any], other: dict[str, Any]) -> None:
    signature = sign(value, KEY)
    if canonical(value) == canonical(other):
        verify(other, signature, KEY.public_key())
        return
    with pytest.raises(BadSignature):
        verify(other, signature, KEY.public_key())


@pytest.mark.parametrize("place", range(64))
def test_every_changed_byte_of_a_signature_is_found(place: int) -> None:
    raw = bytearray(base64.b64decode(sign(EVENT, KEY)))
    raw[place] ^= 1
    with pytest.raises(BadSignature):
        verify(EVENT, base64.b64encode(bytes(raw)).decode(), KEY.public_key())


@pytest.mark.parametrize("signature", ["", "x", "====", "あ", base64.b64encode(b"short").decode()])
def test_what_is_no_signature(signature: str) -> None:
    with pytest.raises(BadSignature):
        verify(EVENT, signature, KEY.public_key())


def test_another_key() -> None:
    with pytest.raises(BadSignature):
        verify(EVENT, sign(EVENT, OTHER), KEY.public_key())


def test_keys_as_text() -> None:
    assert public_text(KEY) == public_text(KEY.public_key())
    verify(EVENT, sign(EVENT, KEY), public_from_text(public_text(KEY)))
    assert Ed25519PrivateKey.from_private_bytes(private_bytes(KEY)).public_key() == KEY.public_key()


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", base64.b64encode(bytes(33)).decode()])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(BadSignature):
        public_from_text(text)


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": 2**60}, {"a": b"bytes"}, {1: "key"}])
def test_what_json_cannot_hold_is_not_signed(value: dict[str, Any]) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        sign(value, KEY)
