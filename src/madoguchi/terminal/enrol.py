"""One-time enrolment and the device file: who this terminal is, and the keys only it has."""

import base64
import json
import os
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from madoguchi.evidence.keys import private_bytes, public_text
from madoguchi.terminal import errors

_SHORTEST_KEY = 32
_REASONS: dict[str, type[errors.TerminalError]] = {
    kind.__name__: kind for kind in (errors.EnrolmentUnknown, errors.EnrolmentExpired, errors.EnrolmentUsed)
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the terminal is and has. `tag_key` keys the card tag; `seal_key` seals waiting payloads (32 bytes)."""

    terminal: str
    name: str
    site: str
    token: str = field(repr=False)
    tag_key: bytes = field(repr=False)
    key: Ed25519PrivateKey = field(repr=False)
    seal_key: bytes = field(repr=False)
    token_at: datetime

    def with_token(self, token: str, at: datetime) -> "Credentials":
        """Copy with a rolled token."""
        return replace(self, token=token, token_at=at)


class DeviceFile:
    """The key file: JSON, mode 0600, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Credentials:
        """Read it. Raises `NotEnrolled` when absent, `DeviceFileUnsafe` when others may read it or it is malformed."""
        try:
            mode = self.path.stat().st_mode
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise errors.NotEnrolled(str(self.path)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise errors.DeviceFileUnsafe(str(self.path)) from error
        if mode & 0o077:
            raise errors.DeviceFileUnsafe(f"{self.path} has mode {mode & 0o777:o}")
        return _parse(text)

    def save(self, credentials: Credentials) -> None:
        """Write all of it, or nothing; on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self.path.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_plain(credentials), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        _sync_folder(self.path.parent)


def enrol(*, server_url: str, code: str, device: DeviceFile, client: httpx.Client) -> Credentials:
    """Exchange a one-time code for credentials and keep them in `device`.

    The private key is made here and never leaves. Raises `EnrolmentUnknown`, `EnrolmentExpired`, `EnrolmentUsed`,
    `EnrolmentRefused` or `ServerUnreachable`; nothing is kept then.
    """
    key = Ed25519PrivateKey.generate()
    try:
        answer = client.post(
            f"{server_url.rstrip('/')}/api/device/enrol", json={"code": code.strip(), "public_key": public_text(key)}
        )
        data = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise errors.ServerUnreachable(type(error).__name__) from error
    if answer.status_code != httpx.codes.OK:
        raise _refusal(data)
    credentials = _accepted(data, key)
    device.save(credentials)
    return credentials


def _refusal(data: Any) -> errors.TerminalError:
    reason = str(data.get("reason", "")) if isinstance(data, dict) else ""
    return _REASONS.get(reason, errors.EnrolmentRefused)(reason)


def _accepted(data: Any, key: Ed25519PrivateKey) -> Credentials:
    try:
        return Credentials(
            terminal=_filled(data["terminal"]),
            name=_filled(data["name"]),
            site=_filled(data["site"]),
            token=_filled(data["token"]),
            tag_key=_key(data["tag_key"]),
            key=key,
            seal_key=secrets.token_bytes(32),
            token_at=datetime.now(UTC),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise errors.EnrolmentRefused("malformed answer") from error


def _plain(credentials: Credentials) -> dict[str, str]:
    return {
        "terminal": credentials.terminal,
        "name": credentials.name,
        "site": credentials.site,
        "token": credentials.token,
        "tag_key": base64.b64encode(credentials.tag_key).decode(),
        "key": base64.b64encode(private_bytes(credentials.key)).decode(),
        "seal_key": base64.b64encode(credentials.seal_key).decode(),
        "token_at": credentials.token_at.isoformat(),
    }


def _parse(text: str) -> Credentials:
    try:
        data = json.loads(text)
        return Credentials(
            terminal=_filled(data["terminal"]),
            name=_filled(data["name"]),
            site=_filled(data["site"]),
            token=_filled(data["token"]),
            tag_key=_key(data["tag_key"]),
            key=Ed25519PrivateKey.from_private_bytes(_key(data["key"])),
            seal_key=_key(data["seal_key"]),
            token_at=datetime.fromisoformat(data["token_at"]).astimezone(UTC),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise errors.DeviceFileUnsafe("malformed device file") from error


def _filled(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("empty or no text")
    return value


def _key(value: object) -> bytes:
    key = base64.b64decode(_filled(value), validate=True)
    if len(key) < _SHORTEST_KEY:
        raise ValueError("too short for a key")
    return key


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
