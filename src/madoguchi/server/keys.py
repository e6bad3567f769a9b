"""Key files of the office: made once, mode 0600, never in the database."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_BYTES = 32


class KeyFileBroken(Exception):
    """A key file exists but does not hold a key: it is never replaced silently, old records would not open."""


def key_bytes(path: Path) -> bytes:
    """The 32 bytes in `path` (base64 text), made on first use. Raises `KeyFileBroken`."""
    if not path.exists():
        make(path)
    return existing_key(path)


def existing_key(path: Path) -> bytes:
    """The 32 bytes in `path`. Raises `KeyFileBroken`, `FileNotFoundError`."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except ValueError as error:
        raise KeyFileBroken(f"{path}: 鍵のファイルが壊れています。控えから戻してください。") from error
    if len(key) != _BYTES:
        raise KeyFileBroken(f"{path}: 鍵の長さが違います。控えから戻してください。")
    return key


def secret_text(path: Path) -> str:
    """The same key as text, for Django's `SECRET_KEY`."""
    return base64.b64encode(key_bytes(path)).decode()


def card_tag_key(path: Path) -> bytes:
    """The key of `card_tag`: one per installation, so that a card that comes back is known at every site.

    Never changed: every tag would change. Where a `sealing.key` stands beside it from before there was a file of its
    own, the key is made from that once, as it was then. Raises `KeyFileBroken`.
    """
    before = path.with_name("sealing.key")
    if not path.exists() and before.exists():
        make(path, hmac.digest(key_bytes(before), b"madoguchi card tag v1", hashlib.sha256))
    return key_bytes(path)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The server's own key: signs what staff and server do, as the devices sign what they report."""
    return Ed25519PrivateKey.from_private_bytes(key_bytes(path))


def make(path: Path, key: bytes | None = None) -> None:
    """Write a new key, or `key`, unless there is a file: of several processes the first wins, the others read its key.

    On return the file would be there after a power failure too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_BYTES) if key is None else key))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names made or removed in the folder stay so after a power failure."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
