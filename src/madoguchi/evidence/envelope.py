"""Canonical JSON (RFC 8785) signed with Ed25519 (RFC 8032)."""

import base64
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from madoguchi.evidence import keys
from madoguchi.evidence.errors import BadSignature


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one byte string of a JSON object. Raises `rfc8785.CanonicalizationError` for what JSON cannot hold."""
    try:
        return rfc8785.dumps(dict(value))
    except (UnicodeEncodeError, RecursionError) as error:
        raise rfc8785.CanonicalizationError("a lone surrogate, or nested too deeply") from error


def sign(value: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Signature over `canonical(value)`, base64."""
    return base64.b64encode(key.sign(canonical(value))).decode()


def verify(value: Mapping[str, Any], signature: str, key: Ed25519PublicKey) -> None:
    """Raises `BadSignature` unless `signature` (base64) fits, and for what JSON cannot hold."""
    try:
        said = canonical(value)
    except rfc8785.CanonicalizationError as error:
        raise BadSignature("no canonical JSON") from error
    keys.check(key, signature, said)
