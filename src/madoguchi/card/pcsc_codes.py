"""What pcscd answers, and the error that each answer is. Codes: pcsc-lite's `pcsclite.h`, PC/SC part 5.

Rules:
1. Whatever is not success is an error with a name.
2. A code that is in no table is `ReaderLost`: what nobody expected cannot be vouched for.
"""

from enum import IntEnum, IntFlag

from madoguchi.card.errors import (
    CardError,
    CardInUse,
    CardRemoved,
    CardSilent,
    NoCard,
    ReaderLost,
)

_UNSIGNED = 0xFFFFFFFF
_COUNTER_SHIFT = 16
_COUNTS = 1 << 16


class Code(IntEnum):
    """Result codes that have a meaning of their own here."""

    OK = 0
    CANCELLED = 0x80100002
    TIMEOUT = 0x8010000A
    SHARING = 0x8010000B
    NO_CARD = 0x8010000C
    PROTOCOL = 0x8010000F
    NOT_TRANSACTED = 0x80100016
    NO_READERS = 0x8010002E
    UNSUPPORTED = 0x80100065
    UNRESPONSIVE = 0x80100066
    UNPOWERED = 0x80100067
    RESET = 0x80100068
    REMOVED = 0x80100069


class Bit(IntFlag):
    """Lower half of an event state; the upper half counts insertions and removals."""

    UNKNOWN = 0x0004
    UNAVAILABLE = 0x0008
    EMPTY = 0x0010
    PRESENT = 0x0020


_OPENING: dict[int, type[CardError]] = {
    Code.NO_CARD: NoCard,
    Code.SHARING: CardInUse,
    Code.NOT_TRANSACTED: CardRemoved,
    Code.RESET: CardRemoved,
    Code.REMOVED: CardRemoved,
    Code.PROTOCOL: CardSilent,
    Code.UNSUPPORTED: CardSilent,
    Code.UNRESPONSIVE: CardSilent,
    Code.UNPOWERED: CardSilent,
}
# A card that was there and now is not, or lost its power, is another card for all that anybody knows.
_GONE = (Code.NO_CARD, Code.NOT_TRANSACTED, Code.RESET, Code.REMOVED, Code.UNRESPONSIVE, Code.UNPOWERED)
_IN_USE: dict[int, type[CardError]] = {Code.SHARING: CardInUse, **dict.fromkeys(_GONE, CardRemoved)}


def unsigned(code: int) -> int:
    """Return the code as the tables write it: pyscard gives some negative."""
    return code & _UNSIGNED


def opening_error(code: int) -> CardError:
    """Make the error for a code that opening a card gave."""
    return _error(_OPENING, code)


def use_error(code: int) -> CardError:
    """Make the error for a code that a card in use gave."""
    return _error(_IN_USE, code)


def is_present(event: int) -> bool:
    """Whether a card lies there. Raises `ReaderLost` for a state that says neither yes nor no."""
    bits = Bit(event & (Bit.UNKNOWN | Bit.UNAVAILABLE | Bit.EMPTY | Bit.PRESENT))
    if bits not in (Bit.EMPTY, Bit.PRESENT):
        raise ReaderLost(f"state {event:08X}")
    return bits is Bit.PRESENT


def steps_between(before: int, after: int) -> int | None:
    """Count insertions and removals between two event states of one reader; None if the two do not fit together.

    pcscd counts modulo 65536. They do not fit when the count went back, or when the card is there and was not (or
    the other way round) after an even number of steps. Raises `ReaderLost` as `is_present` does.
    """
    steps = ((after >> _COUNTER_SHIFT) - (before >> _COUNTER_SHIFT)) % _COUNTS
    toggled = is_present(before) != is_present(after)
    return steps if steps < _COUNTS // 2 and toggled == bool(steps % 2) else None


def counted(event: int) -> int:
    """Return the state that will follow when pcscd has called a reader empty and not yet counted the removal.

    It does so for up to 0.4 s after a power-off failed because the card was gone.
    """
    return event if is_present(event) else (event + (1 << _COUNTER_SHIFT)) % (_COUNTS << _COUNTER_SHIFT)


def _error(table: dict[int, type[CardError]], code: int) -> CardError:
    return table.get(code, ReaderLost)(f"{code:08X}")
