"""Boxes made by the keeper: the agent's end of the line to the one privileged program (`keeper`).

Every wait is bounded, and one that runs out is doubt: the line is given up, which has the keeper kill and prove every
box of ours. After a lost line the first thing asked on the next is a sweep; its proof holds for every box from before.
The keeper is waited for `back` seconds, and as long for its greeting, which it sends when it has nothing left to prove;
without it nothing is proven.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from madoguchi.terminal.errors import BoxUnavailable, TerminalError, WipeUnproven
from madoguchi.terminal.ground import Order
from madoguchi.terminal.keeper_line import (
    FORM,
    LineClosed,
    MessageRefused,
    answered,
    order_message,
    peer_uid,
    receive,
    send,
)
from madoguchi.terminal.ports import WipeProof

_LIMITS: Mapping[str, float] = {"missing": 15, "start": 15, "settle": 5, "kill": 10, "prove": 10, "sweep": 40}
"""Seconds to wait for an answer; longer than the keeper itself takes for it."""

_BACK = 15.0
_PAUSE = 0.1

_log = logging.getLogger(__name__)


class KeeperUnreachable(TerminalError):
    """There is no keeper at the socket, or it is not the one for this terminal, or it does not answer."""

    sentence = (
        "箱の番人(madoguchi-keeper)につながりません。「systemctl status madoguchi-keeper」で様子を見て、"
        "止まっていれば「systemctl restart madoguchi-keeper」を実行してください。"
    )


class KeeperGround:
    """Asks the keeper at `path` (port `Ground`). `name` is the marker of our boxes, which has to be its own too.

    `sweep_own` kills what is left of the agent's own user, where no keeper looks: bars; it says how many there were.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        keeper_uid: int = 0,
        back: float = _BACK,
        sweep_own: Callable[[], int] = lambda: 0,
    ) -> None:
        self._path = path
        self._name = name
        self._keeper_uid = keeper_uid
        self._back = back
        self._sweep_own = sweep_own
        self._lock = threading.RLock()
        self._line: socket.socket | None = None
        self._swept: WipeProof | None = None

    def missing(self) -> tuple[str, ...]:
        """Name what the keeper lacks, or that there is none."""
        try:
            with self._lock:
                return tuple(str(line) for line in self._exchange(self._connected(), {"do": "missing"}))
        except KeeperUnreachable as error:
            return (f"{error.sentence} (the keeper cannot be reached: {error})",)

    def start(self, order: Order) -> "KeeperHold":
        """Have a box started (port `Ground.start`).

        Raises `WipeUnproven` too: when what an earlier line left, or this start has begun, is not proven gone.
        """
        try:
            with self._lock:
                return self._started(self._swept_line(), order)
        except (KeeperUnreachable, MessageRefused) as error:
            raise BoxUnavailable(f"{error.sentence} ({error})") from error
        finally:
            order.inner.close()

    def sweep(self) -> WipeProof:
        """Have everything of ours destroyed and proven (port `Ground.sweep`)."""
        with self._lock:
            self._swept = None
        bars = self._sweep_own()
        proof = self.proof_from_before()
        return replace(proof, leftovers=proof.leftovers + bars)

    def close(self) -> None:
        """Hang up: the keeper destroys what is left."""
        with self._lock:
            self._swept = None
            if self._line is not None:
                self._line.close()
                self._line = None

    def ask_about(self, line: socket.socket, do: str, **values: object) -> Any:
        """Ask about a box on the line it was started on. Raises `KeeperUnreachable` when that is gone."""
        with self._lock:
            if line is not self._line:
                raise KeeperUnreachable("the line was lost")
            return self._exchange(line, {"do": do, **values})

    def proof_from_before(self) -> WipeProof:
        """The proof that every box of a lost line is gone; waits for a keeper. Raises `WipeUnproven`."""
        deadline = time.monotonic() + self._back
        while True:
            try:
                with self._lock:
                    self._swept_line()
                    if self._swept is not None:
                        return self._swept
            except (KeeperUnreachable, MessageRefused) as error:
                if time.monotonic() > deadline:
                    raise WipeUnproven(f"keeper: {error}") from error
            time.sleep(_PAUSE)

    def _started(self, line: socket.socket, order: Order) -> "KeeperHold":
        try:
            return KeeperHold(self, line, int(self._exchange(line, order_message(order), order.inner)))
        except KeeperUnreachable:
            self.proof_from_before()
            raise

    def _swept_line(self) -> socket.socket:
        """The line, once everything from before it is proven gone. Raises `KeeperUnreachable`, `WipeUnproven`."""
        line = self._connected()
        if self._swept is None:
            self._swept = WipeProof.from_json(self._exchange(line, {"do": "sweep"}))
        return line

    def _connected(self) -> socket.socket:
        """The line, made anew when it is gone. Raises `KeeperUnreachable`."""
        if self._line is not None and not _silent(self._line):
            self._give_up()
        if self._line is None:
            self._line = _greeted(self._path, limit=self._back, name=self._name, uid=self._keeper_uid)
        return self._line

    def _exchange(self, line: socket.socket, message: Mapping[str, Any], descriptors: Iterable[int] = ()) -> Any:
        """Send a request and wait for its answer. Raises `KeeperUnreachable`, having given the line up; a refusal."""
        line.settimeout(_LIMITS[message["do"]])
        try:
            send(line, message, descriptors)
            reply = _reply(line)
        except (OSError, LineClosed) as error:  # a wait that ran out is an OSError, too
            self._give_up()
            raise KeeperUnreachable(f"{message['do']}: {type(error).__name__}") from error
        return answered(reply)

    def _give_up(self) -> None:
        _log.warning("line to the keeper lost")
        self.close()


class KeeperHold:
    """A box that the keeper has started (port `Hold`)."""

    def __init__(self, ground: KeeperGround, line: socket.socket, number: int) -> None:
        self._ground = ground
        self._line = line
        self._number = number

    def settle(self) -> None:
        """Have its memory file systems remembered. Raises `BoxUnavailable`."""
        try:
            self._ground.ask_about(self._line, "settle", id=self._number)
        except (KeeperUnreachable, MessageRefused) as error:
            raise BoxUnavailable(f"{error.sentence} ({error})") from error

    def kill(self) -> None:
        """Have it killed; on a lost line it is being killed already."""
        with suppress(TerminalError):
            self._ground.ask_about(self._line, "kill", id=self._number)

    def prove(self, *, logout: str) -> WipeProof:
        """Have its end observed; after a lost line, by a sweep. Raises `WipeUnproven`."""
        try:
            return WipeProof.from_json(self._ground.ask_about(self._line, "prove", id=self._number, logout=logout))
        except KeeperUnreachable:
            return replace(self._ground.proof_from_before(), logout=logout)
        except MessageRefused as error:
            raise WipeUnproven(str(error)) from error


def _greeted(path: Path, *, limit: float, name: str, uid: int) -> socket.socket:
    """Connect to the keeper, and see that it is ours. Raises `KeeperUnreachable`."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(limit)
    try:
        line.connect(str(path))
        if peer_uid(line) != uid:
            raise KeeperUnreachable("somebody else listens there")
        if answered(_reply(line)) != {"name": name, "form": FORM}:
            raise KeeperUnreachable("it keeps another terminal's boxes, or is of another version")
        return line
    except KeeperUnreachable:
        line.close()
        raise
    except (OSError, LineClosed, TerminalError) as error:
        line.close()
        raise KeeperUnreachable(f"{path}: {error or type(error).__name__}") from error


def _reply(line: socket.socket) -> Mapping[str, Any]:
    """Take an answer; one that is not of the agreed form counts as none. Raises `LineClosed`, `OSError`."""
    try:
        parcel = receive(line)
    except MessageRefused as error:
        raise LineClosed from error
    parcel.close()
    return parcel.message


def _silent(line: socket.socket) -> bool:
    """Tell whether a line is open and has nothing to say, as between requests it must."""
    line.settimeout(0)
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
