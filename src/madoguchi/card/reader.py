"""What a reader is to the rest of the house: the shape of PC/SC, whatever stands behind it.

Rules of every implementation:
1. The event counter grows at every insertion and every removal, as SCardGetStatusChange's does: a card that left and
   came back between two looks shows as another counter.
2. A use is exclusive and powers the card off at both ends: a PIN verified by somebody else, or left verified by a
   process that died, is worth nothing.
3. A reader that does not answer is `ReaderLost`, never "no card".
4. A connection belongs to the card it was opened on. Once that card has left, every transmit raises `CardRemoved`,
   also when another card, or the same one, has been put down since.
"""

from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class ReaderState(NamedTuple):
    """One look at a reader. `counter` has no meaning but equality and growth."""

    present: bool
    counter: int


class Connection(Protocol):
    """Exclusive use of one card, until the `with` block ends."""

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Send one command APDU; return (response data, status word). Raises `CardRemoved`, `ReaderLost`."""


class Reader(Protocol):
    """One slot."""

    @property
    def name(self) -> str:
        """What a person calls the reader."""

    def state(self) -> ReaderState:
        """Look once. Raises `ReaderLost`."""

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """Block until the state differs from `known`, at most `timeout` seconds; return the state then.

        Raises `ReaderLost`, also when the reader is lost while waiting.
        """

    def connect(self) -> AbstractContextManager[Connection]:
        """Open the card for exclusive use. Entering raises `NoCard`, `CardInUse` or `ReaderLost`."""


class Card(Protocol):
    """What can be put on a reader that lives in memory."""

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Answer one command APDU with (response data, status word)."""

    def power_off(self) -> None:
        """Forget selected files and verified PINs."""
