"""The server's own key, as the log uses it: read once per file and change of file, not once per statement."""

import base64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from madoguchi.evidence import keys as evidence_keys
from madoguchi.evidence.note import Verifier
from madoguchi.server import keys


@dataclass(frozen=True, slots=True)
class Signer:
    """The server's key and its public part as text."""

    key: Ed25519PrivateKey
    public: str

    def sign(self, said: bytes) -> str:
        """Signature over the bytes, base64."""
        return base64.b64encode(self.key.sign(said)).decode()


def signer() -> Signer:
    """The key of `settings.SERVER_KEY_FILE`. Raises `keys.KeyFileBroken`."""
    path = Path(settings.SERVER_KEY_FILE)
    return _read(path, _version(path))


def origin() -> str:
    """The log's name, as it stands on checkpoints."""
    return str(settings.LOG_ORIGIN)


def default_origin() -> str:
    """The log's name where none is set: it names the key."""
    return f"madoguchi-{evidence_keys.fingerprint(signer().public)}"


def verifier() -> Verifier:
    """Who signs this office's checkpoints: the text of it goes onto paper."""
    return Verifier(origin(), signer().public)


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@lru_cache(maxsize=4)
def _read(path: Path, _version_of_file: tuple[int, int, int] | None) -> Signer:
    key = keys.signing_key(path)
    return Signer(key, evidence_keys.public_text(key))
