"""Calls to PC/SC with a limit to each, and one connection to pcscd on top of them.

The library's calls have no limits of their own: while pcscd hangs, they hang. Each connection therefore makes its
calls in a thread of its own, and a caller that has waited long enough leaves with `ReaderLost`. The thread stays
behind until the call returns; until then no new connection is made, so that threads cannot pile up.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from smartcard import scard

from madoguchi.card.errors import ReaderLost
from madoguchi.card.pcsc_codes import Code, opening_error, unsigned

QUICK = 3.0
"""Seconds for a call that only asks pcscd."""
POWER = 10.0
"""Seconds for calls that switch a card on or off."""
COMPUTE = 20.0
"""Seconds for one APDU: a signature takes a card under two."""
_SECOND = 1000

T = TypeVar("T")
_Task = tuple[Callable[[], Any], "Future[Any]"]
_hanging: "set[Line]" = set()
_hanging_guard = threading.Lock()


class Line:
    """A thread that makes one call after the other."""

    def __init__(self) -> None:
        """Start the thread. Raises `ReaderLost` while a call of anybody's hangs."""
        with _hanging_guard:
            if _hanging:
                raise ReaderLost("pcscd hangs")
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._last: Callable[[], object] | None = None
        self._ended = False
        threading.Thread(target=self._serve, name="pcsc line", daemon=True).start()

    def call(self, work: Callable[[], T], seconds: float) -> T:
        """Let the thread do `work`. Raises `ReaderLost` when it takes longer; then the line is dead."""
        if self._ended:
            raise ReaderLost("this connection is closed")
        future: Future[T] = Future()
        self._tasks.put((work, future))
        try:
            return future.result(seconds)
        except TimeoutError:
            self._leave(future)
            raise ReaderLost("no answer in time") from None

    def end(self, last: Callable[[], object] | None = None) -> None:
        """End the thread, after `last`; do not wait."""
        if not self._ended:
            self._ended, self._last = True, last
            self._tasks.put(None)

    def at_hang(self, last: Callable[[], object]) -> None:
        """Say what is to be done when a call that hung comes back after all."""
        self._last = last

    def _leave(self, future: "Future[Any]") -> None:
        with _hanging_guard:
            if not future.done():
                _hanging.add(self)
        future.add_done_callback(self._came_back)
        self.end(self._last)

    def _came_back(self, _future: "Future[Any]") -> None:
        with _hanging_guard:
            _hanging.discard(self)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            _do(*task)
            del task  # it may hold an APDU with a PIN
        if self._last is not None:
            self._last()


def _do(work: Callable[[], Any], future: "Future[Any]") -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - told to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)


class Link:
    """One connection to pcscd (an SCARDCONTEXT). Codes are unsigned; methods raise `ReaderLost`."""

    def __init__(self) -> None:
        """Connect."""
        self._line = Line()
        code, context = self._line.call(lambda: scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM), QUICK)
        if code != Code.OK:
            self._line.end()
            raise ReaderLost(f"{unsigned(code):08X}")
        self._context = context
        self._line.at_hang(self._release)

    def readers(self) -> list[str]:
        """Names of all readers plugged in."""
        code, names = self._line.call(lambda: scard.SCardListReaders(self._context, []), QUICK)
        if unsigned(code) == Code.NO_READERS:
            return []
        self._check(code)
        return [str(name) for name in names]

    def look(self, reader: str, known: int = 0, seconds: float = 0.0) -> int:
        """Return the reader's event state: at once, or when it differs from `known`, or after `seconds`."""
        timeout = int(seconds * _SECOND)
        states = [(reader, known)]
        code, found = self._line.call(
            lambda: scard.SCardGetStatusChange(self._context, timeout, states), seconds + QUICK
        )
        if unsigned(code) == Code.TIMEOUT:
            return known
        self._check(code)
        return int(found[0][1])

    def open(self, reader: str) -> int:
        """Open the card exclusively, switched off and on again; return the handle. Raises as `opening_error` says.

        Switched off without letting go: in between, nobody else gets at the card.
        """
        code, handle = self._line.call(lambda: self._open(reader), POWER)
        if code != Code.OK:
            raise opening_error(code)
        return handle

    def transmit(self, handle: int, apdu: bytes) -> tuple[int, bytes]:
        """Send an APDU; return code and response with its status word."""
        code, response = self._line.call(lambda: scard.SCardTransmit(handle, scard.SCARD_PCI_T1, list(apdu)), COMPUTE)
        return unsigned(code), bytes(response)

    def release_card(self, handle: int) -> int:
        """Switch the card off and let it go; return the code."""
        return unsigned(self._line.call(lambda: scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD), POWER))

    def cancel(self, other: "Link") -> None:
        """End another connection's look at once."""
        self._line.call(lambda: scard.SCardCancel(other._context), QUICK)

    def close(self) -> None:
        """Disconnect; a card still open is let go."""
        self._line.end(self._release)

    def _release(self) -> None:
        scard.SCardReleaseContext(self._context)

    def _open(self, reader: str) -> tuple[int, int]:
        code, handle, _ = scard.SCardConnect(
            self._context, reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1
        )
        if code != Code.OK:
            return unsigned(code), 0
        code, _ = scard.SCardReconnect(
            handle, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1, scard.SCARD_UNPOWER_CARD
        )
        if code != Code.OK:
            scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD)
        return unsigned(code), int(handle)

    @staticmethod
    def _check(code: int) -> None:
        if code != Code.OK:
            raise ReaderLost(f"{unsigned(code):08X}")
