"""Signatures over canonical JSON, attacked."""

import base64
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.evidence.envelope import canonical, sign, verify
from madoguchi.evidence.errors import BadSignature
from madoguchi.evidence.keys import private_bytes, public_from_text, public_text

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


def test_a_signature_is_written_in_one_way_only() -> None:
    """64 bytes leave four spare bits in base64: set, they would make a second text of the same signature."""
    signature = sign(EVENT, KEY)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    turned = alphabet[alphabet.index(signature[-3]) + 1]
    second = f"{signature[:-3]}{turned}=="
    assert base64.b64decode(second) == base64.b64decode(signature)
    for text in (second, f"{signature}\n", f" {signature}"):
        with pytest.raises(BadSignature):
            verify(EVENT, text, KEY.public_key())


SMALL_ORDER = [
    "00" * 32,
    "00" * 31 + "80",
    "01" + "00" * 31,
    "01" + "00" * 30 + "80",
    "ec" + "ff" * 30 + "7f",
    "ec" + "ff" * 31,
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 31,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


def test_there_are_keys_under_which_anybody_signs_anything() -> None:
    """Why `public_from_text` refuses some keys: the library itself takes them."""
    everybodys = Ed25519PublicKey.from_public_bytes(bytes.fromhex("01" + "00" * 31))
    nobodys = base64.b64encode(bytes.fromhex("01" + "00" * 63)).decode()
    verify(EVENT, nobodys, everybodys)
    verify({"any": "thing"}, nobodys, everybodys)


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_a_key_under_which_anybody_signs_is_refused(raw: str) -> None:
    with pytest.raises(BadSignature):
        public_from_text(base64.b64encode(bytes.fromhex(raw)).decode())


def test_numbers_and_words_are_written_as_rfc_8785_says() -> None:
    # from the number samples of RFC 8785, appendix B, and its section 3.2.2.2
    given = {"n": [0.0, -0.0, 1.0, 1e21, 1e-7, 333333333.3333332, 4.5, 0.002], "s": "\u20ac$\x0f\nA'B\"\\/"}
    assert canonical(given).decode() == (
        '{"n":[0,0,1,1e+21,1e-7,333333333.3333332,4.5,0.002],"s":"€$\\u000f\\nA\'B\\"\\\\/"}'
    )


def test_letters_that_look_alike_are_not_the_same() -> None:
    composed, decomposed = {"name": "が"}, {"name": "か\u3099"}
    with pytest.raises(BadSignature):
        verify(decomposed, sign(composed, KEY), KEY.public_key())


def test_the_key_of_rfc_8032() -> None:
    # RFC 8032, section 7.1, test 1
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert public_text(Ed25519PrivateKey.from_private_bytes(private)) == base64.b64encode(public).decode()


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


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


UNSPEAKABLE = [
    {"a": float("nan")},
    {"a": float("inf")},
    {"a": 2**60},
    {"a": b"bytes"},
    {1: "key"},
    {"a": "\ud800"},
    {"\ud800": 1},
    nested(5000),
]


@pytest.mark.parametrize("value", UNSPEAKABLE, ids=range(len(UNSPEAKABLE)))
def test_what_json_cannot_hold_is_not_signed(value: dict[str, Any]) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        sign(value, KEY)
    with pytest.raises(BadSignature):
        verify(value, sign({}, KEY), KEY.public_key())
