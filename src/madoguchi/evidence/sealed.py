"""Personal payloads: a salted commitment for the signed record, AES-256-GCM for the payload itself.

The commitment is HMAC-SHA-256(random salt, canonical payload): an unsalted hash of few digits is reversed in
seconds. The additional data name table, column and row, so that a ciphertext pasted elsewhere does not open. What is
sealed begins with the id of its key, so that keys can be changed.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from madoguchi.evidence.envelope import canonical
from madoguchi.evidence.errors import CommitmentMismatch, SealBroken

_SALT = 32
_KEY = 32
_NONCE = 12
_KEY_ID = 8


def new_salt() -> str:
    """32 random bytes, base64."""
    return base64.b64encode(secrets.token_bytes(_SALT)).decode()


def commit(salt: str, payload: Mapping[str, Any]) -> str:
    """HMAC-SHA-256 of the canonical payload under `salt` (32 bytes, base64), as base64.

    Raises `ValueError` for another salt (an empty one would make the payload guessable) and what JSON cannot hold.
    """
    return _commitment(_salt(salt), canonical(payload))


def check_commitment(commitment: str, salt: str, payload: Mapping[str, Any]) -> None:
    """Raises `CommitmentMismatch` unless `payload` is the committed one; `ValueError` for what JSON cannot hold."""
    said = canonical(payload)
    try:
        fitting = _commitment(_salt(salt), said)
    except ValueError as error:
        raise CommitmentMismatch("not a salt that anybody commits with") from error
    if not hmac.compare_digest(fitting.encode(), commitment.encode(errors="replace")):
        raise CommitmentMismatch("payload differs from what was signed")


def _commitment(salt: bytes, said: bytes) -> str:
    return base64.b64encode(hmac.digest(salt, said, hashlib.sha256)).decode()


def _salt(text: str) -> bytes:
    salt = base64.b64decode(text, validate=True)
    if len(salt) != _SALT:
        raise ValueError(f"a salt has {_SALT} bytes")
    return salt


def key_id(key: bytes) -> bytes:
    """Name a key by 8 bytes that tell nothing of it: which key opens a row, when there is more than one."""
    return hmac.digest(key, b"madoguchi key id", hashlib.sha256)[:_KEY_ID]


def seal(key: bytes, place: str, plain: bytes) -> bytes:
    """Encrypt for one place (`table|column|row`); returns key id + nonce + ciphertext + tag.

    Raises `ValueError` unless `key` is 32 bytes (a shorter one would quietly mean AES-128).
    """
    if len(key) != _KEY:
        raise ValueError(f"a sealing key has {_KEY} bytes")
    nonce = secrets.token_bytes(_NONCE)
    return key_id(key) + nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(key: bytes, place: str, sealed: bytes) -> bytes:
    """Inverse of `seal`. Raises `SealBroken`."""
    if sealed[:_KEY_ID] != key_id(key):
        raise SealBroken(f"{place} was sealed under another key")
    nonce, rest = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, rest, place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"cannot open {place}") from error
