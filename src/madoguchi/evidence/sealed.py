"""Personal payloads: a salted commitment for the signed record, AES-256-GCM for the payload itself.

The commitment is HMAC-SHA-256(random salt, canonical payload): an unsalted hash of few digits is reversed in
seconds. The additional data name table, column and row, so that a ciphertext pasted elsewhere does not open.
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

_NONCE = 12


def new_salt() -> str:
    """32 random bytes, base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def commit(salt: str, payload: Mapping[str, Any]) -> str:
    """HMAC-SHA-256 of the canonical payload under `salt` (base64), as base64."""
    digest = hmac.digest(base64.b64decode(salt), canonical(payload), hashlib.sha256)
    return base64.b64encode(digest).decode()


def check_commitment(commitment: str, salt: str, payload: Mapping[str, Any]) -> None:
    """Raises `CommitmentMismatch` unless `payload` is the committed one."""
    if not hmac.compare_digest(commit(salt, payload), commitment):
        raise CommitmentMismatch("payload differs from what was signed")


def seal(key: bytes, place: str, plain: bytes) -> bytes:
    """Encrypt for one place (`table|column|row`). `key` is 32 bytes; returns nonce + ciphertext + tag."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(key: bytes, place: str, sealed: bytes) -> bytes:
    """Inverse of `seal`. Raises `SealBroken`."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"cannot open {place}") from error
