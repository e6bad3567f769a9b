"""Command APDUs (ISO/IEC 7816-4, short and extended), status words, and the names of the files on the card."""

from dataclasses import dataclass
from enum import IntEnum

SHORT_LE = 256
EXTENDED_LE = 65536
_HEADER = 4

JPKI_AID = bytes.fromhex("D392F000260100000001")
TEXT_AID = bytes.fromhex("D3921000310001010408")
ATR = bytes.fromhex("3BE000FF8131FE4514")
"""Answer to reset: the same for everybody, it never identifies a person."""


class Status(IntEnum):
    """Status words."""

    OK = 0x9000
    END_OF_FILE = 0x6282
    TRIES = 0x63C0
    WRONG_LENGTH = 0x6700
    NOT_TRANSPARENT = 0x6981
    PIN_NEEDED = 0x6982
    PIN_BLOCKED_ISO = 0x6983
    PIN_BLOCKED = 0x6984
    NO_FILE_SELECTED = 0x6986
    WRONG_DATA = 0x6A80
    FILE_NOT_FOUND = 0x6A82
    WRONG_PARAMETERS = 0x6A86
    KEY_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    UNKNOWN_INSTRUCTION = 0x6D00
    WRONG_CLASS = 0x6E00


class Ins(IntEnum):
    """Instructions that the card knows."""

    VERIFY = 0x20
    SIGN = 0x2A
    SELECT = 0xA4
    READ_BINARY = 0xB0


class JpkiFile(IntEnum):
    """Elementary files of the JPKI application."""

    SIGN_CERTIFICATE = 0x0001
    SIGN_AUTHORITY = 0x0002
    LABEL = 0x0006
    AUTH_CERTIFICATE = 0x000A
    AUTH_AUTHORITY = 0x000B
    AUTH_KEY = 0x0017
    AUTH_PIN = 0x0018
    SIGN_KEY = 0x001A
    SIGN_PIN = 0x001B


class TextFile(IntEnum):
    """Elementary files of the card-face text application."""

    ATTRIBUTES = 0x0002
    PIN = 0x0011


class TextTag(IntEnum):
    """Tags of the attributes."""

    ATTRIBUTES = 0xFF20
    NAME = 0xDF22
    ADDRESS = 0xDF23
    BIRTH = 0xDF24
    SEX = 0xDF25


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `le` is the number of bytes wanted at most: None for none, 256 or 65536 for "all there is"."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @classmethod
    def parse(cls, apdu: bytes) -> "Command":
        """Parse any of the seven ISO forms. Raises `ValueError` for every other length."""
        if len(apdu) < _HEADER:
            raise ValueError("no header")
        data, le = _split(apdu[4:])
        cla, ins, p1, p2 = apdu[:4]
        return cls(cla, ins, p1, p2, data, le)

    def encode(self) -> bytes:
        """Return the bytes, in the short form when it fits."""
        head = bytes([self.cla, self.ins, self.p1, self.p2])
        extended = len(self.data) > 0xFF or (self.le or 0) > SHORT_LE
        return head + (_extended(self.data, self.le) if extended else _short(self.data, self.le))


def _split(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or SHORT_LE
    if body[0]:
        return _tail(body[1:], body[0], 1, SHORT_LE)
    if len(body) == 3:
        return b"", int.from_bytes(body[1:], "big") or EXTENDED_LE
    return _tail(body[3:], int.from_bytes(body[1:3], "big"), 2, EXTENDED_LE)


def _tail(rest: bytes, count: int, le_size: int, everything: int) -> tuple[bytes, int | None]:
    if count == 0 or len(rest) not in (count, count + le_size):
        raise ValueError("length does not fit")
    le = rest[count:]
    return rest[:count], (int.from_bytes(le, "big") or everything) if le else None


def _short(data: bytes, le: int | None) -> bytes:
    body = bytes([len(data)]) + data if data else b""
    return body + (b"" if le is None else bytes([le % SHORT_LE]))


def _extended(data: bytes, le: int | None) -> bytes:
    body = b"\0" + (len(data).to_bytes(2, "big") + data if data else b"")
    return body + (b"" if le is None else (le % EXTENDED_LE).to_bytes(2, "big"))
