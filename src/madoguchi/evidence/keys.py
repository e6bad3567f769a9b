"""Ed25519 keys (RFC 8032) as text, and what nobody may use as one. Needs `cryptography` alone."""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from madoguchi.evidence.errors import BadSignature

_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
"""The y coordinates, sign bit clear, of the points of Ed25519 whose order divides 8, with their second writings.

Under such a key signatures fit that nobody made (RFC 8032, 8.9 leaves the check to the user of the keys).
"""


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The 32 raw bytes of the public key."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The same as base64: this is how a key is named wherever it is written down."""
    return base64.b64encode(public_bytes(key)).decode()


def public_from_text(text: str) -> Ed25519PublicKey:
    """Inverse of `public_text`. Raises `BadSignature` for anything else."""
    try:
        raw = from_base64(text)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise BadSignature("not an Ed25519 public key") from error
    if raw[:31] + bytes([raw[31] & 0x7F]) in _SMALL_ORDER:
        raise BadSignature("a key that everybody can sign under")
    return key


def private_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 raw private bytes, for a key file of mode 0600."""
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def fingerprint(public: str) -> str:
    """16 hex digits that people compare: the beginning of SHA-256 over the raw public key (given as base64)."""
    return hashlib.sha256(from_base64(public)).hexdigest()[:16]


def check(key: Ed25519PublicKey, signature: str, said: bytes) -> None:
    """Raises `BadSignature` unless `signature` (base64) fits the bytes."""
    try:
        key.verify(from_base64(signature), said)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("signature does not fit") from error


def from_base64(text: str) -> bytes:
    """The bytes, if this is the one way to write them. Raises `ValueError`."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the canonical base64")
    return raw
