"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), with Ed25519.

A checkpoint's text has three lines or more: the log's name (origin), the number of entries, the root in base64, and
lines for people. A note is the text, a blank line, and signature lines: dash, name, base64 of key id and signature.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from madoguchi.evidence import keys
from madoguchi.evidence.errors import CheckpointBroken

_ED25519 = b"\x01"
_DASH = "\u2014 "
_ROOT = 32
_LONGEST = 1_000_000
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Verifier:
    """Who may sign: a name and a public key (base64)."""

    name: str
    public: str

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """From `name+id+key` (signed-note, "verifier key"). Raises `CheckpointBroken`."""
        name, _, rest = text.strip().partition("+")
        claimed, _, coded = rest.partition("+")
        try:
            raw = keys.from_base64(coded)
        except ValueError as error:
            raise CheckpointBroken("no verifier key") from error
        if raw[:1] != _ED25519 or not _named(name):
            raise CheckpointBroken("no Ed25519 verifier key")
        found = cls(name, base64.b64encode(raw[1:]).decode())
        keys.public_from_text(found.public)
        if found.id.hex() != claimed:
            raise CheckpointBroken("the key's id does not fit its name and bytes")
        return found

    @property
    def id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        raw = keys.from_base64(self.public)
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + raw).digest()[:4]

    def text(self) -> str:
        """`name+id+key`: what goes onto paper and into other programs."""
        coded = base64.b64encode(_ED25519 + keys.from_base64(self.public)).decode()
        return f"{self.name}+{self.id.hex()}+{coded}"


def _named(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or "\ud800" <= c <= "\udfff" for c in name)


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The note with its signature line. `text` ends in a newline. Raises `ValueError` for another text or name."""
    if not text.endswith("\n") or not _named(name) or not _printable(text):
        raise ValueError("a note is lines of text, its signer a name without blanks and +")
    signer = Verifier(name, keys.public_text(key))
    coded = base64.b64encode(signer.id + key.sign(text.encode())).decode()
    return f"{text}\n{_DASH}{name} {coded}\n"


def open_note(note: str, signers: Iterable[Verifier]) -> tuple[str, list[Verifier]]:
    """The text and who of `signers` has signed it. Raises `CheckpointBroken` when nobody has, or one wrongly."""
    text, lines = _apart(note)
    known = {(signer.name, signer.id): signer for signer in signers}
    found: list[Verifier] = []
    for name, raw in map(_signature, lines):
        signer = known.get((name, raw[:4]))
        if signer is None or signer in found:
            continue
        try:
            keys.public_from_text(signer.public).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise CheckpointBroken(f"the signature of {name} does not fit") from error
        found.append(signer)
    if not found:
        raise CheckpointBroken("signed by nobody that is known here")
    return text, found


def _apart(note: str) -> tuple[str, list[str]]:
    if len(note) > _LONGEST or not _printable(note):
        raise CheckpointBroken("no signed note: too long, or with characters that no note has")
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise CheckpointBroken("no signed note: a blank line and signatures are missing")
    return text + "\n", rest[:-1].split("\n")


def _signature(line: str) -> tuple[str, bytes]:
    name, _, coded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = keys.from_base64(coded)
    except ValueError as error:
        raise CheckpointBroken("a line that is no signature") from error
    if not line.startswith(_DASH) or not _named(name) or len(raw) <= len(_ED25519) * 4:
        raise CheckpointBroken("a line that is no signature")
    return name, raw


def _printable(text: str) -> bool:
    return not any(ord(c) < 0x20 and c != "\n" for c in text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its name, how many entries, their root. `extra`: further lines, for people."""

    origin: str
    size: int
    root: bytes
    extra: tuple[str, ...] = ()

    def text(self) -> str:
        """The note's text."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extra)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Inverse of `text`. Raises `CheckpointBroken`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise CheckpointBroken("a checkpoint has three lines or more, none of them empty")
        origin, size, coded, *extra = lines[:-1]
        if not (size.isascii() and size.isdecimal()) or len(size) > _DIGITS or str(int(size)) != size:
            raise CheckpointBroken(f"{size!r} is no number of entries")
        try:
            root = keys.from_base64(coded)
        except ValueError as error:
            raise CheckpointBroken("the root is no base64") from error
        if len(root) != _ROOT:
            raise CheckpointBroken("the root is no SHA-256")
        return cls(origin, int(size), root, tuple(extra))
