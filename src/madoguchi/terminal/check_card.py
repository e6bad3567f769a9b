"""Looks at the card reader and its service (see `check_machine` for what a look is).

Nothing here opens a card: pcscd is asked what it sees, and who holds the reader shows in its answer.
"""

import re
import socket
from contextlib import suppress
from pathlib import Path

from madoguchi.card.errors import CardError
from madoguchi.terminal.check_machine import Machine

_SOCKET = "run/pcscd/pcscd.comm"
_EXCLUSIVE, _IN_USE = 0x0080, 0x0100
_TALKATIVE = re.compile(r"(?:^|[\s=\"'])(--apdu|--debug|-[A-Za-z]*[ad][A-Za-z]*)(?=[\s\"']|$)")
_LOG_LEVEL = re.compile(r"<key>ifdLogLevel</key>\s*<string>(0[xX][0-9a-fA-F]+|\d+)</string>")
_APDU_LEVEL = 0x0004
"""libccid's bit for everything that goes to the reader and comes back."""

_ANSWER_LIMIT = 3.0


def real_reader(machine: Machine) -> str | None:
    """A real terminal has a reader over PC/SC."""
    return None if machine.config.reader == "pcsc" else machine.config.reader


def service_reachable(machine: Machine) -> str | None:
    """The card service answers at its socket, and lets the agent in."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_ANSWER_LIMIT)
            probe.connect(str(machine.root / _SOCKET))
    except OSError as error:
        return f"{_SOCKET}: {error.strerror or type(error).__name__}"
    return None


def reader_named(machine: Machine) -> str | None:
    """The configured reader is plugged in, and only one is meant."""
    from madoguchi.card.pcsc_watch import choose

    try:
        names = reader_names()
        choose(machine.config.reader_name, names)
    except CardError as error:
        return f"{error.code}: {machine.config.reader_name}" + "".join(f" / {name}" for name in _seen())
    except ImportError:
        return "pyscard"
    return None


def reader_free(machine: Machine) -> str | None:
    """No other program holds the card that lies on the reader. Says nothing of a reader that is not there."""
    from madoguchi.card.pcsc_line import Link
    from madoguchi.card.pcsc_watch import choose

    with suppress(CardError):
        link = Link()
        try:
            reader = choose(machine.config.reader_name, link.readers())
            return reader if link.look(reader) & (_EXCLUSIVE | _IN_USE) else None
        finally:
            link.close()
    return None


def reader_names() -> list[str]:
    """Names of the readers that pcscd sees. Raises `CardError`, `ImportError` without pyscard."""
    from madoguchi.card.pcsc_line import Link

    link = Link()
    try:
        return link.readers()
    finally:
        link.close()


def service_silent(machine: Machine) -> str | None:
    """Neither pcscd nor its driver writes APDUs, and with them PINs, to a log: not now, nor at its next start."""
    for pid, command in machine.commands():
        if Path(command[0]).name == "pcscd" and (found := _TALKATIVE.search(" ".join(["", *command[1:]]))):
            return f"pcscd {found[1]} (pid {pid})"
    return next(filter(None, (_loud_file(machine, place) for place in _service_files(machine))), None) or _loud_driver(
        machine
    )


def no_virtual_reader(machine: Machine) -> str | None:
    """Nobody on the network can play a card: vpcd asks nobody who they are."""
    for place in sorted((machine.root / "etc/reader.conf.d").glob("*")):
        if "vpcd" in _effective(place):
            return str(place)
    drivers = sorted((machine.root / "usr/lib/pcsc/drivers").glob("**/*vpcd*"))
    return str(drivers[0]) if drivers else None


def _seen() -> list[str]:
    with suppress(CardError, ImportError):
        return reader_names()
    return []


def _service_files(machine: Machine) -> list[Path]:
    units = [machine.root / folder / "pcscd.service" for folder in ("etc/systemd/system", "usr/lib/systemd/system")]
    return [
        machine.root / "etc/default/pcscd",
        *units,
        *(machine.root / "etc/systemd/system/pcscd.service.d").glob("*.conf"),
    ]


def _loud_file(machine: Machine, place: Path) -> str | None:
    """Arguments and environment of the service that make it log APDUs."""
    text = "\n".join(
        line for line in _effective(place).splitlines() if "pcscd" in line or "PCSCD" in line or "LIBCCID" in line
    )
    found = _TALKATIVE.search(text) or re.search(r"(LIBCCID_ifdLogLevel)", text)
    return f"/{place.relative_to(machine.root)}: {found[1]}" if found else None


def _loud_driver(machine: Machine) -> str | None:
    found = _LOG_LEVEL.search(machine.text("etc/libccid_Info.plist"))
    return "/etc/libccid_Info.plist: ifdLogLevel" if found and int(found[1], 0) & _APDU_LEVEL else None


def _effective(place: Path) -> str:
    """A settings file without its comments; empty when it cannot be read."""
    with suppress(OSError):
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith(("#", ";")))
    return ""
