"""Virtual cards on a reader of pcscd: vpcd, the virtual reader of vsmartcard, to which a card connects over TCP.

Each message stands behind its length (2 bytes, big-endian). From the reader: one byte is an order (power off, power
on, reset, tell your ATR), anything longer a command APDU. Only the ATR and APDUs are answered. A card is present while
its connection lasts. vpcd asks nobody who they are: see `pcscd.py` for where to run it.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from enum import IntEnum

from madoguchi.card.apdu import ATR
from madoguchi.card.errors import ReaderLost, SlotTaken
from madoguchi.card.reader import Card

PORT = 35963
_HEADER = 2
_PATIENCE = 2.0
"""Seconds that a connection, and a card's last answer after its removal, may take."""


class _Order(IntEnum):
    POWER_OFF = 0
    POWER_ON = 1
    RESET = 2
    ATR = 4


def dial(port: int = PORT) -> socket.socket:
    """Connect to a vpcd on this machine. Raises `ReaderLost`."""
    try:
        return socket.create_connection(("127.0.0.1", port), _PATIENCE)
    except OSError as error:
        raise ReaderLost(f"nobody listens on port {port}") from error


class VpcdSlot:
    """The hand at one slot: puts cards down and takes them away. What pcscd makes of it shows up to 0.4 s later."""

    def __init__(self, dial: Callable[[], socket.socket] = dial) -> None:
        """`dial` makes a connection to the slot's port."""
        self._dial = dial
        self._guard = threading.RLock()  # re-entrant: a card may act on its slot while it answers
        self._lying: _Lying | None = None
        self._pull_in: int | None = None

    @property
    def card(self) -> Card | None:
        """The card that lies there."""
        with self._guard:
            return None if self._lying is None else self._lying.card

    def insert(self, card: Card) -> None:
        """Put a card down. Raises `SlotTaken` when one lies there already, `ReaderLost` when nobody listens."""
        with self._guard:
            if self._lying is not None and self._lying.connected:
                raise SlotTaken
            self._lying = _Lying(card, self._dial(), self._count_down)

    def remove(self) -> None:
        """Take the card away, whatever it is doing; nothing happens when there is none."""
        with self._guard:
            lying, self._lying = self._lying, None
        if lying is not None:
            lying.pull()

    def swap(self, card: Card) -> None:
        """Take the card away and put another down, quicker than pcscd looks."""
        with self._guard:
            self.remove()
            self.insert(card)

    def pull_at(self, apdu: int) -> None:
        """Take the card away when the n-th APDU from now arrives (1 = the very next): it is not answered."""
        with self._guard:
            self._pull_in = apdu

    def _count_down(self) -> bool:
        """Count one APDU; whether the card is still there to answer it."""
        with self._guard:
            if self._pull_in is None:
                return True
            self._pull_in -= 1
            if self._pull_in:
                return True
            self._pull_in = None
            self.remove()
            return False


class _Lying:
    """One card while it lies there: its connection, and the thread that answers."""

    def __init__(self, card: Card, channel: socket.socket, count_down: Callable[[], bool]) -> None:
        self.card = card
        self._count_down = count_down
        self._channel = channel
        channel.settimeout(None)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._serve, name="vpcd card", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the reader still has the card: a reader that is gone has none."""
        return self._thread.is_alive()

    def pull(self) -> None:
        """End the connection. On return the card is without power, unless it is still at its last answer."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)

    def _serve(self) -> None:
        try:
            with contextlib.suppress(OSError):
                while (message := self._receive()) is not None:
                    self._answer(message)
        finally:
            self._channel.close()
            self.card.power_off()

    def _answer(self, message: bytes) -> None:
        if message == bytes([_Order.ATR]):
            self._send(ATR)
        elif message == bytes([_Order.POWER_OFF]):
            self.card.power_off()
        elif len(message) > 1 and self._count_down():  # a reset changes nothing: PINs stay verified, as on real cards
            data, status = self.card.transmit(message)
            self._send(data + status.to_bytes(2, "big"))

    def _send(self, data: bytes) -> None:
        self._channel.sendall(len(data).to_bytes(_HEADER, "big") + data)

    def _receive(self) -> bytes | None:
        header = self._exactly(_HEADER)
        return None if header is None else self._exactly(int.from_bytes(header, "big"))

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            # Without this, at every recv again, the kernel holds the acknowledgement back for 40 ms per APDU.
            self._channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._channel.recv(count - len(data))
            if not part:
                return None
            data += part
        return data
