"""People, cards and hands that the tests of this room share."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from madoguchi.card import (
    Card,
    CertificateAuthority,
    Holder,
    KeyKind,
    MemoryReader,
    Pins,
    Sex,
    VirtualCard,
    practice_keys,
)
from madoguchi.card.authority import JST

SOON = 10.0
"""Seconds within which something has to come."""

NOW = datetime(2022, 8, 17, 9, 0, tzinfo=JST)
PINS = Pins(auth="1234", text="5678", basic="0000", sign="ABC123")
HOLDER_A = Holder("架空 花子", "カクウ ハナコ", "架空県架空市一丁目1番1号", date(1980, 2, 29), Sex.FEMALE)
HOLDER_B = Holder("架空 次郎", "カクウ ジロウ", "架空県架空市二丁目2番2号", date(2001, 12, 3), Sex.MALE)

SELECT_JPKI = "00A4040C0A D392F000260100000001"
SELECT_TEXT = "00A4040C0A D3921000310001010408"


def make_card(
    authority: CertificateAuthority, kind: KeyKind = KeyKind.RSA2048, holder: Holder = HOLDER_A
) -> VirtualCard:
    return VirtualCard.make(holder, PINS, authority, NOW, kind, keys=practice_keys(holder.name, kind))


def select(file: int) -> str:
    return f"00A4020C02{file:04X}"


def enter(pin: str) -> str:
    return f"00200080{len(pin):02X}{pin.encode().hex()}"


def send(card: Card, apdu: str) -> tuple[bytes, str]:
    """Answer to an APDU in hex; the status word as four hex digits."""
    data, status = card.transmit(bytes.fromhex(apdu))
    return data, f"{status:04X}"


def status(card: Card, *apdus: str) -> str:
    """Status word of the last of several APDUs."""
    return [send(card, apdu)[1] for apdu in apdus][-1]


class Meddled:
    """A card around which something happens while it computes the answer to the n-th APDU."""

    def __init__(self, card: Card, at: int, happens: Callable[[], None]) -> None:
        self._card = card
        self._left = at
        self._happens = happens

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        answer = self._card.transmit(apdu)
        self._left -= 1
        if self._left == 0:
            self._happens()
        return answer

    def power_off(self) -> None:
        self._card.power_off()


class Scripted:
    """A card that answers one status word to one instruction (or to all), and otherwise as the card behind it."""

    def __init__(self, card: Card, answer: tuple[bytes, int], ins: int | None = None, file: int | None = None) -> None:
        self._card = card
        self._answer = answer
        self._ins = ins
        self._file = file
        self._selected: int | None = None

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        if apdu[1] == 0xA4 and apdu[2] == 0x02:
            self._selected = int.from_bytes(apdu[5:7], "big")
        if self._ins in (None, apdu[1]) and self._file in (None, self._selected):
            return self._answer
        return self._card.transmit(apdu)

    def power_off(self) -> None:
        self._card.power_off()


def reader_with(card: Card, name: str = "架空リーダー") -> MemoryReader:
    reader = MemoryReader(name)
    reader.insert(card)
    return reader


@contextmanager
def running(text: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Another process with a program of its own; goes on once it has said `ready`, and is killed at the end."""
    command = [sys.executable, "-c", textwrap.dedent(text), *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def until(holds: Callable[[], bool]) -> None:
    """Another process's end is nobody's event here: look again until it is seen."""
    pause = threading.Event()
    for _ in range(int(SOON / 0.01)):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("never came true")
