"""What stands on the virtual card: PINs with their counters, keys behind a PIN, readable files, applications."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from madoguchi.card.apdu import Status
from madoguchi.card.keys import PrivateKey


@dataclass(slots=True)
class PinObject:
    """One PIN. `left` survives power-off, `verified` does not.

    1. A right entry resets the count and opens what hangs on the PIN.
    2. A wrong entry costs one try and closes it again; the try that costs the last one answers 63C0.
    3. Blocked: every entry, right or wrong, answers 6984.
    """

    secret: str = field(repr=False)
    tries: int
    left: int = -1
    verified: bool = False

    def __post_init__(self) -> None:
        self.left = self.tries

    def enter(self, given: bytes) -> int:
        """Answer an entry with a status word."""
        if self.left == 0:
            return Status.PIN_BLOCKED
        self.verified = given == self.secret.encode()
        self.left = self.tries if self.verified else self.left - 1
        return Status.OK if self.verified else self.tries_status()

    def tries_status(self) -> int:
        """63Cx."""
        return Status.TRIES | self.left


@dataclass(frozen=True, slots=True)
class KeyObject:
    """A private key that signs only while its PIN is verified."""

    key: PrivateKey = field(repr=False)
    pin: PinObject


@dataclass(frozen=True, slots=True)
class DataFile:
    """A transparent file; `pin` guards the reading."""

    content: bytes
    pin: PinObject | None = None


CardFile = PinObject | KeyObject | DataFile
Application = Mapping[int, CardFile]
