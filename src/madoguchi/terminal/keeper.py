"""The keeper: the one privileged program of a terminal. It makes the boxes of one agent, and observes their end.

    python -m madoguchi.terminal.keeper --config /etc/madoguchi/terminal.toml [--socket PATH]

Root, one thread (a box dies with the thread that started it), one agent at a time, told by the kernel to be the agent's
system user. What a box is stands in the keeper's own configuration; the agent names places and a size (`keeper_line`).

- The agent's line closes, whatever closed it: its boxes are killed at once and proven gone. What cannot be proven is
  remembered, and no box starts until a sweep has proven it.
- The keeper dies: the boxes die with it; their mounts stay, and the next keeper sweeps before it answers anybody.
- It answers one request after the other. A proof takes a tenth of a second; one that fails takes `proof_limit`, and
  then nothing may be started anyway. An agent killed meanwhile is noticed late, but its boxes end by themselves:
  their heartbeat stops with the agent.

The marks on a box (`spawn.marks`) name the state directory, which the agent's own would, and as the living owner the
keeper itself, who is the boxes' parent: the sweep of another terminal's agent or keeper on this machine spares them
exactly as long as somebody is there who can prove their end.
"""

import argparse
import fcntl
import logging
import os
import pwd
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.config import TerminalConfig, box_config, load_config
from madoguchi.terminal.errors import BoxUnavailable, ConfigInvalid, TerminalError, WipeUnproven, place_of
from madoguchi.terminal.ground import Ground, Hold, LocalGround, Order
from madoguchi.terminal.keeper_line import (
    FORM,
    LineClosed,
    Request,
    peer_uid,
    read_request,
    receive,
    refusal,
    send,
)
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, SPACE_UNMOUNTED, WipeProof

CONFIG = Path("/etc/madoguchi/terminal.toml")
_MOST = 4
"""Boxes at once: the visit's, the spare, and what of each is still being proven gone."""

_log = logging.getLogger("madoguchi.keeper")


class KeeperAlreadyRunning(TerminalError):
    """Another keeper holds the socket."""

    sentence = "箱の番人(madoguchi-keeper)はすでに動いています。二重に起動しないでください。"


class KeeperBusy(TerminalError):
    """Another process of the agent's user is connected."""

    sentence = "端末のソフトはすでに動いています。二重に起動しないでください。"


class PeerRefused(TerminalError):
    """The other end of the line is not whom it has to be."""

    sentence = "この利用者は、箱を作る権限を持ちません。"


class Kept:
    """A box that has been started, until its end was proven; the proof is made once and remembered."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.proof: WipeProof | None = None

    def prove(self) -> WipeProof:
        """Observe the end. Raises `WipeUnproven`."""
        if self.proof is None:
            self.hold.kill()
            self.proof = self.hold.prove(logout=LOGOUT_NOT_TRIED)
        return self.proof


class Ledger:
    """All boxes of the agent: those it asked for, and those that it left behind unproven."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._kept: dict[int, Kept] = {}
        self._left: list[Kept] = []
        self._last = 0
        self._doubt = True
        self._untold, self._unmounted = 0, False

    def do(self, request: Request) -> object:
        """Carry out a request; the value of its answer. Raises `BoxUnavailable`, `WipeUnproven`."""
        match request.do:
            case "start" if request.order is not None:
                return self._start(request.order)
            case "missing":
                return list(self._ground.missing())
            case "sweep":
                return self.sweep().to_json()
            case "prove":
                return self._prove(request.number, request.logout)
        if kept := self._kept.get(request.number):
            kept.hold.settle() if request.do == "settle" else kept.hold.kill()
        return None

    def sweep(self) -> WipeProof:
        """Destroy and prove everything; tell also what was found since the last sweep. Raises `WipeUnproven`."""
        self._doubt = True
        proof = self._ground.sweep()
        for kept in (*self._kept.values(), *self._left):
            kept.prove()
        self._left.clear()
        self._found(proof, proof.leftovers)
        told = replace(proof, leftovers=self._untold, space=SPACE_UNMOUNTED if self._unmounted else proof.space)
        self._doubt, self._untold, self._unmounted = False, 0, False
        return told

    def begin(self) -> None:
        """Sweep what an earlier keeper left; its agent is told when it asks."""
        try:
            proof = self.sweep()
            self._found(proof, proof.leftovers)
        except WipeUnproven as error:
            _log.warning("%s: %s", error.code, error.failure)

    def abandon(self) -> None:
        """The agent is gone: kill everything, then prove each end; remember what cannot be proven."""
        gone, self._kept = list(self._kept.values()), {}
        for kept in gone:
            kept.hold.kill()
        for kept in gone:
            try:
                self._found(kept.prove(), 1)
            except Exception as error:  # noqa: BLE001 # whatever it was, this box is not to be forgotten
                _log.warning("not proven gone: %s", error if isinstance(error, WipeUnproven) else place_of(error))
                self._left.append(kept)
                self._doubt = True

    def doubt(self) -> None:
        """Something unforeseen happened: nothing starts before a sweep."""
        self._doubt = True

    def _start(self, order: Order) -> int:
        if self._doubt or sum(kept.proof is None for kept in self._kept.values()) >= _MOST:
            order.inner.close()
            raise BoxUnavailable("前の箱が消えたことを、まだ確かめていません (earlier boxes are not proven gone)。")
        hold = self._ground.start(order)
        self._last += 1
        self._kept[self._last] = Kept(hold)
        return self._last

    def _prove(self, number: int, logout: str) -> object:
        if number not in self._kept:
            raise WipeUnproven(f"no box {number}")
        proof = self._kept[number].prove()
        del self._kept[number]
        return replace(proof, logout=logout).to_json()

    def _found(self, proof: WipeProof, leftovers: int) -> None:
        self._untold += leftovers
        self._unmounted |= proof.space == SPACE_UNMOUNTED


class Keeper:
    """Listens for the agent, the only one with this `uid`, and answers it."""

    def __init__(self, ground: Ground, *, name: str, uid: int) -> None:
        self._ledger = Ledger(ground)
        self._name = name
        self._uid = uid
        self._line: socket.socket | None = None

    def serve(self, listener: socket.socket, stop: int) -> None:
        """Sweep, then answer until `stop` is readable; no box outlives this."""
        self._ledger.begin()
        notify("READY=1")
        try:
            while True:
                line = self._line
                watched: tuple[int | socket.socket, ...] = (stop, listener) if line is None else (stop, listener, line)
                ready, _, _ = select.select(watched, (), ())
                if stop in ready:
                    return
                if line and line in ready:
                    self._answer(line)
                else:  # only when the line has nothing to say: a hang-up comes before the next agent
                    self._greet(listener)
        finally:
            self._hang_up()

    def _greet(self, listener: socket.socket) -> None:
        line, _ = listener.accept()
        line.settimeout(0)  # an agent that does not read is hung up on, not waited for
        try:
            if (uid := peer_uid(line)) != self._uid:
                raise PeerRefused(f"uid {uid}")
            if self._line is not None:
                raise KeeperBusy("another agent is connected")
            send(line, {"done": {"name": self._name, "form": FORM}})
            self._line = line
        except (TerminalError, OSError) as error:
            _log.warning("refused: %s", error)
            with suppress(OSError), line:
                if isinstance(error, TerminalError):
                    send(line, refusal(error))

    def _answer(self, line: socket.socket) -> None:
        try:
            send(line, self._reply(line))
        except LineClosed:
            self._hang_up()
        except Exception as error:  # noqa: BLE001 # whatever it was: the boxes end, and nothing starts before a sweep
            _log.warning("line given up: %s", place_of(error))
            self._ledger.doubt()
            self._hang_up()

    def _reply(self, line: socket.socket) -> dict[str, object]:
        try:
            return {"done": self._ledger.do(read_request(receive(line)))}
        except TerminalError as error:
            _log.warning("%s: %s", error.code, error)
            return refusal(error)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        self._ledger.abandon()


def run(config: TerminalConfig, place: Path) -> None:
    """Be the keeper until SIGTERM or SIGINT. Raises `ConfigInvalid`, `KeeperAlreadyRunning`."""
    boxes = box_config(config)
    agent = _agent(config, boxes)
    if _mounts_apart():
        _log.warning("mounts of our own: a space that is still held when we die is not found again")
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _stopping() as stop, _alone(place), listening(place, gid=agent.pw_gid) as listener:
        Keeper(LocalGround(boxes), name=boxes.name, uid=agent.pw_uid).serve(listener, stop)


def trusted(path: Path) -> TerminalConfig:
    """Read a configuration that nobody but root can write: it names files that root reads. Raises `ConfigInvalid`."""
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigInvalid(f"{path}: {error.strerror}") from error
    if status.st_uid != 0 or status.st_mode & 0o022:
        raise ConfigInvalid(f"{path}: not root's alone")
    config = load_config(path)
    if not config.state_dir.is_absolute():
        raise ConfigInvalid("state_dir")
    return config


def _agent(config: TerminalConfig, boxes: BoxConfig) -> pwd.struct_passwd:
    """Look up the agent's system user: neither root nor who the browsers run as. Raises `ConfigInvalid`."""
    users = {user.pw_name: user for user in pwd.getpwall()}
    found, visit = users.get(config.agent_user), users.get(boxes.visit_user)
    if found is None or found.pw_uid == 0 or (visit and visit.pw_uid == found.pw_uid):
        raise ConfigInvalid(f"agent_user: {config.agent_user}")
    return found


def _mounts_apart() -> bool:
    """Tell whether our mounts are others than the machine's; unknown (its first process is closed to us) is no."""
    try:
        return os.readlink("/proc/self/ns/mnt") != os.readlink("/proc/1/ns/mnt")
    except OSError:
        return False


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Be the only keeper with this socket. Raises `KeeperAlreadyRunning`."""
    guard = os.open(f"{place}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(guard)
        raise KeeperAlreadyRunning(str(place)) from error
    yield
    os.close(guard)


@contextmanager
def listening(place: Path, *, gid: int) -> Iterator[socket.socket]:
    """The socket, for its owner and this group, as long as the block lasts."""
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        before = os.umask(0o177)
        listener.bind(str(place))
        os.umask(before)
        os.chown(place, -1, gid)
        place.chmod(0o660)
        listener.listen()
        try:
            yield listener
        finally:
            place.unlink(missing_ok=True)


@contextmanager
def _stopping() -> Iterator[int]:
    """A descriptor that becomes readable at SIGTERM or SIGINT."""
    stop, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    yield stop


def notify(state: str) -> None:
    """Tell systemd, if it wants to know (Type=notify)."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, suppress(OSError):
            line.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


def main() -> int:
    """Run the program; its exit status."""
    parser = argparse.ArgumentParser(prog="madoguchi-keeper", description="Makes the boxes of a terminal.")
    parser.add_argument("--config", type=Path, default=CONFIG, help="the terminal's TOML file")
    parser.add_argument("--socket", type=Path, help="instead of the file's `keeper`")
    given = parser.parse_args()
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    try:
        config = trusted(given.config)
        if os.geteuid() != 0 or not (given.socket or config.keeper):
            raise ConfigInvalid("root and a socket are needed")
        run(config, given.socket or Path(config.keeper))
    except TerminalError as error:
        _log.error("%s: %s %s", error.code, error, error.sentence)  # a named refusal, not a fault
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
