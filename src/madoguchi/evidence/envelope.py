"""Canonical JSON (RFC 8785) signed with Ed25519 (RFC 8032)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, cast

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from madoguchi.evidence.errors import BadSignature


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one byte string of a JSON object. Raises `rfc8785.CanonicalizationError` for what JSON cannot hold."""
    return cast(bytes, rfc8785.dumps(dict(value)))


def sign(value: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Signature over `canonical(value)`, base64."""
    return base64.b64encode(key.sign(canonical(value))).decode()


def verify(value: Mapping[str, Any], signature: str, key: Ed25519PublicKey) -> None:
    """Raises `BadSignature` unless `signature` (base64) fits."""
    try:
        key.verify(base64.b64decode(signature, validate=True), canonical(value))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadSignature("signature does not fit") from error


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The 32 raw bytes of the public key, base64."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def public_from_text(text: str) -> Ed25519PublicKey:
    """Inverse of `public_text`. Raises `BadSignature` for anything else."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadSignature("not an Ed25519 public key") from error


def private_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 raw private bytes, for a key file of mode 0600."""
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
