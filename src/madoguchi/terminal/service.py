"""The agent as a program: reader, boxes, link, desk page and threads put together, and taken apart again."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
from waitress.server import create_server

from madoguchi.card import MemoryReader, Reader, SocketReader
from madoguchi.protocol import ProtocolError
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.bare import BareBoxes
from madoguchi.terminal.box import BwrapBoxes
from madoguchi.terminal.config import TerminalConfig, box_config
from madoguchi.terminal.desk import create_desk
from madoguchi.terminal.enrol import Credentials, DeviceFile
from madoguchi.terminal.errors import TerminalError, place_of
from madoguchi.terminal.journal import Journal
from madoguchi.terminal.keeperground import KeeperGround
from madoguchi.terminal.link import HttpLink
from madoguchi.terminal.ports import Boxes
from madoguchi.terminal.sweep import kill_own
from madoguchi.terminal.timers import Clock, SystemClock

_BACKOFF = 2.0
_LONGEST_WAIT = 10.0
_JOIN_SECONDS = 3.0
_DESK_THREADS = 6

_log = logging.getLogger(__name__)


def device_file(config: TerminalConfig) -> DeviceFile:
    """Where the terminal's credentials stand."""
    return DeviceFile(config.state_dir / "device.json")


def serve(config: TerminalConfig) -> None:
    """Run the terminal until SIGTERM or SIGINT; call it in the main thread.

    Raises `NotEnrolled`, `DeviceFileUnsafe`, `AgentAlreadyRunning`.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    credentials = device_file(config).load()
    journal = Journal(config.state_dir / "journal.sqlite", terminal=credentials.terminal, seal_key=credentials.seal_key)
    with httpx.Client(timeout=config.link_timeout, trust_env=False) as client, choose_reader(config) as reader:
        try:
            _run(config, credentials, journal, reader, client, stop)
        finally:
            journal.close()


@contextmanager
def choose_reader(config: TerminalConfig) -> Iterator[Reader]:
    """The reader that is configured. A real one is watched until the block ends."""
    if config.reader == "pcsc":
        from madoguchi.card.pcsc import PcscReader  # only terminals with a real reader need pyscard

        with PcscReader(config.reader_name) as reader:
            yield reader
    else:
        yield SocketReader(config.reader_path) if config.reader == "socket" else MemoryReader("memory")


def choose_boxes(config: TerminalConfig, *, on_finish: Callable[[], None], alive: Callable[[], bool]) -> Boxes:
    """Real boxes, by the keeper if there is one; else, where they are impossible, ordinary browsers in training."""
    settings = box_config(config)
    if config.keeper:
        own = partial(kill_own, settings)
        ground = KeeperGround(Path(config.keeper), name=settings.name, sweep_own=own)
        return BwrapBoxes(settings, ground=ground, on_finish=on_finish, alive=alive)
    real = BwrapBoxes(settings, on_finish=on_finish, alive=alive)
    return BareBoxes(settings, on_finish=on_finish, alive=alive) if config.training and real.missing() else real


class Bell:
    """What boxes tell and ask their agent; they are made before it."""

    agent: Agent | None = None

    def ring(self) -> None:
        """The button was pressed; any thread."""
        if self.agent is not None:
            self.agent.finish_pressed()

    def alive(self) -> bool:
        """Whether the agent's loop turns; any thread."""
        return self.agent is None or self.agent.turning()


def _run(
    config: TerminalConfig,
    credentials: Credentials,
    journal: Journal,
    reader: Reader,
    client: httpx.Client,
    stop: threading.Event,
) -> None:
    bell = Bell()
    link = HttpLink(base_url=config.server_url, credentials=credentials, client=client, save=device_file(config).save)
    agent = Agent(
        config=config,
        credentials=credentials,
        reader=reader,
        boxes=choose_boxes(config, on_finish=bell.ring, alive=bell.alive),
        link=link,
        journal=journal,
        clock=SystemClock(),
    )
    bell.agent = agent
    with _desk(agent), _helpers(agent, link, stop):
        agent.start()
        agent.run(stop)


@contextmanager
def _desk(agent: Agent) -> Iterator[None]:
    """Serve the desk page on loopback."""
    server = create_server(
        create_desk(agent), host="127.0.0.1", port=agent.config.desk_port, threads=_DESK_THREADS, ident=None
    )
    thread = threading.Thread(target=server.run, name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()
        thread.join(_JOIN_SECONDS)


@contextmanager
def _helpers(agent: Agent, link: HttpLink, stop: threading.Event) -> Iterator[None]:
    """Watch the reader and talk to the server in threads of their own."""
    threads = [
        threading.Thread(target=agent.watcher.run, args=(stop,), name="watcher", daemon=True),
        threading.Thread(target=carry, args=(agent, link, stop), name="courier", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        agent.news.set()
        for thread in threads:
            thread.join(_JOIN_SECONDS)


def carry(agent: Agent, link: HttpLink, stop: threading.Event) -> None:
    """Poll and deliver until `stop`: at once when there is news, else at intervals, longer while nobody answers."""
    wait = agent.config.poll_seconds
    while not stop.is_set():
        agent.news.clear()
        reached = _talk(agent, link)
        wait = agent.config.poll_seconds if reached else min(wait * _BACKOFF, _LONGEST_WAIT)
        agent.news.wait(wait)


def _talk(agent: Agent, link: HttpLink) -> bool:
    try:
        reached = agent.poll()
        if reached:
            roll_if_due(link, agent.clock, days=agent.config.token_days)
    except Exception as error:  # noqa: BLE001  # whatever it was, the next poll may go better; silence would not
        _log.warning("poll: %s", place_of(error))
        return False
    return reached


def roll_if_due(link: HttpLink, clock: Clock, *, days: float) -> bool:
    """Roll the token when it is older than `days`; what fails is tried again at the next poll."""
    if clock.now() - link.credentials.token_at < timedelta(days=days):
        return False
    try:
        link.roll_token()
    except (TerminalError, ProtocolError, OSError) as error:
        _log.warning("token not rolled: %s", place_of(error))
        return False
    return True
