"""The office's wrapping keys: a folder of key files outside the database (`0001.key`, `0002.key`, …).

The highest number is the current key; several stand only while a change is under way. Nothing is remembered between
calls: what another process has changed is seen at once, and a destroyed key is in no web process's memory.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from madoguchi.evidence.errors import SealBroken
from madoguchi.evidence.sealed import key_id
from madoguchi.server import keys

_NAME = re.compile(r"([0-9]{4,})\.key")
_DUE = "change.due"
_LOCK = "lock"
_DESTROYED = "destroyed"
_GOING = ".going-"
_PASSES = 3


class WrappingKeyMissing(SealBroken):
    """No file holds the wrapping key that a row was sealed under."""

    sentence = (
        "内容を開く鍵がありません。鍵のフォルダとデータベースの控えの時期が合っているか、管理者に確かめてください。"
    )


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """One key file."""

    number: int
    path: Path
    key: bytes

    @property
    def id(self) -> bytes:
        """The name that what is sealed under it begins with."""
        return key_id(self.key)


def read() -> tuple[WrappingKey, ...]:
    """The keys that may be used, oldest first. Those once destroyed are left out. Raises `KeyFileBroken`."""
    destroyed = _destroyed()
    return tuple(key for key in _files() if key.id.hex() not in destroyed)


def current() -> WrappingKey:
    """The key for what is sealed now; made on first use."""
    found = read()
    if found:
        return found[-1]
    return _make(max((key.number for key in _files()), default=0) + 1)


def find(wanted: bytes) -> WrappingKey:
    """The key with this id. Raises `WrappingKeyMissing`."""
    for key in reversed(read()):
        if key.id == wanted:
            return key
    raise WrappingKeyMissing(f"no wrapping key {wanted.hex()}")


def strays() -> list[str]:
    """Names of files that have no business here: destroyed keys put back, older keys left, copies, anything else."""
    used = {key.path.name for key in (read() if change_due() else read()[-1:])}
    ours = used | {_DUE, _LOCK, _DESTROYED}
    folder = _folder()
    names = [file.name for file in folder.iterdir()] if folder.exists() else []
    return sorted(name for name in names if name not in ours and not name.startswith("."))


@contextmanager
def changing() -> Iterator[None]:
    """One change at a time; a killed process lets go."""
    _folder().mkdir(parents=True, exist_ok=True)
    lock = os.open(_folder() / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def note_change_due() -> None:
    """From now on, and after a crash too, everybody knows that the key is to be changed."""
    (_folder() / _DUE).touch(mode=0o600)
    keys.sync_folder(_folder())


def change_due() -> bool:
    """Whether a change was begun, or is owed to an erasure, and has not been finished."""
    return (_folder() / _DUE).exists()


def note_change_done() -> None:
    """The change is finished."""
    (_folder() / _DUE).unlink(missing_ok=True)
    keys.sync_folder(_folder())


def add() -> WrappingKey:
    """A new key, current from now on. Only within `changing`."""
    return _make(max((key.number for key in _files()), default=0) + 1)


def destroy_all_but(kept: WrappingKey) -> list[WrappingKey]:
    """Destroy every other key of the folder, with what a killed destruction has left. Only within `changing`.

    Each file is overwritten, synced, removed, and its id noted: put back from outside it is not used again. What flash
    memory, a journalling file system or a backup of the folder still holds is out of reach (docs/adr/0014).
    """
    others = [key for key in _files() if key.path != kept.path]
    _note_destroyed(key.id.hex() for key in others)
    for key in others:
        # Renamed first: nobody reads a key that is half overwritten.
        key.path.rename(key.path.with_name(_GOING + key.path.name))
    keys.sync_folder(_folder())
    for file in _folder().glob(_GOING + "*"):
        destroy_file(file)
    for draft in _folder().glob(".*.key.*"):
        # Left by a process killed while it made a key: a second name of that key, or of one never used.
        draft.unlink()
    _retire_old_sealing_key(settings.CARD_TAG_KEY_FILE.with_name("sealing.key"))
    return others


def destroy_file(path: Path) -> None:
    """Overwrite, sync, remove, sync."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(_PASSES):
            file.seek(0)
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
    path.unlink()
    keys.sync_folder(path.parent)


def _retire_old_sealing_key(path: Path) -> None:
    """The one key of earlier versions: still opens old copies. The card tags' key is taken from it before."""
    if path.exists():
        keys.card_tag_key(settings.CARD_TAG_KEY_FILE)
        destroy_file(path)


def _folder() -> Path:
    return Path(settings.WRAPPING_KEYS_DIR)


def _files() -> list[WrappingKey]:
    folder = _folder()
    found = [(int(match[1]), folder / match[0]) for match in map(_NAME.fullmatch, _names(folder)) if match]
    made = []
    for number, path in sorted(found):
        # Another process may be destroying it at this moment.
        with suppress(FileNotFoundError):
            made.append(WrappingKey(number, path, keys.existing_key(path)))
    return made


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.exists() else []


def _make(number: int) -> WrappingKey:
    path = _folder() / f"{number:04d}.key"
    keys.make(path)
    _folder().chmod(0o700)
    return WrappingKey(number, path, keys.existing_key(path))


def _destroyed() -> frozenset[str]:
    with suppress(FileNotFoundError):
        return frozenset((_folder() / _DESTROYED).read_text().split())
    return frozenset()


def _note_destroyed(ids: Iterator[str]) -> None:
    new = [name for name in ids if name not in _destroyed()]
    opened = os.open(_folder() / _DESTROYED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(opened, "w") as file:
        file.write("".join(f"{name}\n" for name in new))
        file.flush()
        os.fsync(file.fileno())
    keys.sync_folder(_folder())
