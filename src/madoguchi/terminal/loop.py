"""One queue, one thread that empties it: the shell around the agent's steps."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from madoguchi.terminal.errors import AgentBusy

Item = Callable[[], None]


class Loop:
    """Items put by any thread are done one after the other by the owner: the thread that pumped last.

    `soon` puts an item before everything that waits: for what follows from the item being done.
    """

    def __init__(self, do: Callable[[Item], None]) -> None:
        self._do = do
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._next: deque[Item] = deque()
        self._owner: int | None = None
        self._turned = time.monotonic()

    def turning(self, limit: float) -> bool:
        """Whether it has turned within `limit` seconds; any thread."""
        return time.monotonic() - self._turned < limit

    def put(self, item: Item) -> None:
        """Queue an item; any thread."""
        self._queue.put(item)

    def soon(self, item: Item) -> None:
        """Do an item before everything queued; owner only."""
        self._next.append(item)

    def own(self) -> None:
        """Make the calling thread the owner."""
        self._owner = threading.get_ident()

    def pump(self) -> int:
        """Do everything that waits, without blocking; return how many items that was."""
        self.own()
        count = 0
        while (item := self._take(None)) is not None:
            self._do(item)
            count += 1
        return count

    def wait(self, seconds: float) -> None:
        """Wait for an item, do it and everything after it."""
        item = self._take(seconds)
        if item is not None:
            self._do(item)
            self.pump()

    def result(self, done: Future[None], *, seconds: float, what: str) -> None:
        """Wait until an item has answered; the owner pumps meanwhile. Raises its exception, or `AgentBusy`."""
        if self._owner == threading.get_ident():
            self.pump()
        try:
            done.result(timeout=seconds)
        except FutureTimeout as error:
            raise AgentBusy(what) from error

    def _take(self, seconds: float | None) -> Item | None:
        self._turned = time.monotonic()
        if self._next:
            return self._next.popleft()
        try:
            return self._queue.get_nowait() if seconds is None else self._queue.get(timeout=seconds)
        except queue.Empty:
            return None
