"""Entries: what is read back is what was signed, whatever stands in it."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.evidence import envelope, keys, leaf
from madoguchi.evidence.errors import LeafBroken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAMED = keys.public_text(KEY)
RECEIVED = {"at": "2022-08-17T01:00:00Z", "order": 3, "skew": -0.5}
SAID: dict[str, Any] = {"kind": "end", "body": {"cause": "finish"}}

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def entry(statement: dict[str, Any], received: dict[str, Any] | None = None) -> bytes:
    signature = envelope.sign(statement, KEY)
    return leaf.make(key=NAMED, signature=signature, statement=statement, received=received or RECEIVED)


@given(st.dictionaries(st.text() | st.just('","statement":'), plain, max_size=4))
def test_the_bytes_said_are_the_bytes_signed(statement: dict[str, Any]) -> None:
    found = leaf.read(entry(statement))
    assert found.statement == statement
    assert found.received == RECEIVED
    assert found.said == envelope.canonical(statement)
    keys.check(keys.public_from_text(found.key), found.signature, found.said)


def test_a_mark_within_the_statement_does_not_mislead() -> None:
    statement = {"a": ',"statement":{"kind":"close"}', "statement": {"statement": {}}}
    assert json.loads(leaf.read(entry(statement)).said) == statement


def test_the_form() -> None:
    assert list(json.loads(entry(SAID))) == ["key", "received", "signature", "statement"]
    assert entry(SAID) == envelope.canonical(json.loads(entry(SAID)))


GOOD = entry(SAID)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        GOOD[:-1],
        GOOD + b"x",
        b"[" * 100_000,
        b'{"key":' + b"9" * 5000 + b"}",
        # two statements: one would be shown, the other be signed
        GOOD[:-1] + b',"statement":{}}',
        GOOD.replace(b'"cause":"finish"', b'"cause":"idle","cause":"finish"'),
        GOOD.replace(b'"received"', b'"recived"'),
        GOOD.replace(b'"order":3', b'"order":[3]'),
        GOOD.replace(b'"order":3', b'"statement":3'),
        GOOD.replace(b'"order":3', b'"note":3'),
        GOOD.replace(b"2022-08-17T01:00:00Z", b'\\",\\"statement\\":{'),
        GOOD.decode().encode("utf-16"),
        b'{"key":1,"received":{},"signature":"","statement":{}}',
        b'{"key":"","received":[],"signature":"","statement":{}}',
        b'{"key":"","received":{},"signature":"","statement":[]}',
        b'{"received":{},"key":"","signature":"","statement":{}}',
    ],
)
def test_what_is_no_entry(given: bytes) -> None:
    with pytest.raises(LeafBroken):
        leaf.read(given)


def test_reading_needs_no_json_writer() -> None:
    """The statement's bytes are taken from the entry, not written again."""
    assert leaf.read(GOOD).said in GOOD
