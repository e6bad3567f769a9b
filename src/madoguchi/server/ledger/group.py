"""Group commit: entries that stand alone and wait at the same moment share one transaction, and one flush of the disk.

Nobody is told of an entry before the transaction that holds it has been committed. After a lost connection it can be
unknown whether it was: the writer is told of the error then, and the log shows what is in it.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from django.db import InterfaceError, OperationalError, connection, transaction

from madoguchi.server.ledger import store
from madoguchi.server.ledger.errors import WriterClosed

Waiting = tuple[store.Draft, "Future[int]"]
Insert = Callable[[Sequence[store.Draft]], list[int]]


class GroupWriter:
    """One thread that commits what many threads wait for. `most`: entries of one transaction."""

    def __init__(self, *, most: int = 256, insert: Insert = store.insert) -> None:
        self._most = most
        self._insert = insert
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-group", daemon=True)
        self._thread.start()

    def write(self, draft: store.Draft) -> int:
        """Wait until the entry is committed; its id. Raises `WriterClosed`, or what the database said of this entry."""
        done: Future[int] = Future()
        with self._gate:
            if self._closed:
                raise WriterClosed
            self._queue.put((draft, done))
        return done.result()

    def close(self) -> None:
        """Take nothing more, commit what waits, end the thread."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            going = True
            while going:
                batch, going = self._next()
                if batch:
                    self._commit(batch)
        finally:
            connection.close()

    def _next(self) -> tuple[list[Waiting], bool]:
        """What waits, at least one; whether there is more to come."""
        batch: list[Waiting] = []
        given = self._queue.get()
        while given is not None:
            batch.append(given)
            if len(batch) == self._most:
                return batch, True
            try:
                given = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list[Waiting]) -> None:
        store.keep_connection()
        try:
            with transaction.atomic():
                ids = self._insert([draft for draft, _ in batch])
        except (OperationalError, InterfaceError) as error:
            # Not tried again: whether a lost connection had committed cannot be known.
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it was is told to those who wait, the thread lives on
            self._one_by_one(batch, error)
        else:
            for (_, done), found in zip(batch, ids, strict=True):
                done.set_result(found)

    def _one_by_one(self, batch: list[Waiting], error: BaseException) -> None:
        """An entry that cannot be written does not take the others with it."""
        if len(batch) == 1:
            _fail(batch, error)
            return
        for waiting in batch:
            self._commit([waiting])


def _fail(batch: Sequence[Waiting], error: BaseException) -> None:
    for _, done in batch:
        done.set_exception(error)


_shared: tuple[int, GroupWriter] | None = None
_making = threading.Lock()


def shared() -> GroupWriter:
    """The writer of this process; a forked child makes one of its own."""
    global _shared
    with _making:
        if _shared is None or _shared[0] != os.getpid():
            _shared = os.getpid(), GroupWriter()
        return _shared[1]


def close_shared() -> None:
    """Commit what waits and let the next `shared` begin anew, on whatever database is then the office's."""
    global _shared
    with _making:
        if _shared is not None and _shared[0] == os.getpid():
            _shared[1].close()
        _shared = None
