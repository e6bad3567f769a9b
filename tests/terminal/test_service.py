"""The terminal as a program: enrolled over HTTP, with a shared reader, a real browser, signals and kills."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from werkzeug.serving import make_server

from card.support import HOLDER_A, NOW, PINS
from madoguchi.card import CertificateAuthority, MemoryReader, ReaderServer, VirtualCard, practice_keys
from madoguchi.card.keys import KeyKind
from madoguchi.protocol import VisitState
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.enrol import enrol
from madoguchi.terminal.service import device_file
from terminal.doubles import SimClock
from terminal.live import free_port, wait_for
from terminal.office import Office

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from pathlib import Path
from madoguchi.terminal.config import load_config
from madoguchi.terminal.service import serve
serve(load_config(Path(sys.argv[1])))
"""


class Place:
    """A counter on loopback: office, shared reader, and the terminal's program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = Office(SimClock())
        self.office.codes = {"CODE": "fresh"}
        self.office_port, self.desk_port = free_port(), free_port()
        self.reader = MemoryReader("架空リーダー")
        keys = practice_keys(HOLDER_A.name, KeyKind.RSA2048)
        self.card = VirtualCard.make(HOLDER_A, PINS, CertificateAuthority.create(NOW), NOW, KeyKind.RSA2048, keys=keys)
        self.config = TerminalConfig(
            server_url=f"http://127.0.0.1:{self.office_port}",
            state_dir=folder / "state",
            reader="socket",
            reader_path=str(folder / "r.sock"),
            training=True,
            desk_port=self.desk_port,
            poll_seconds=0.2,
        )
        self.file = folder / "terminal.toml"
        self.file.write_text(
            "[terminal]\n"
            f'server_url = "{self.config.server_url}"\nstate_dir = "{self.config.state_dir}"\nreader = "socket"\n'
            f'reader_path = "{self.config.reader_path}"\ntraining = true\ndesk_port = {self.desk_port}\n'
            "poll_seconds = 0.2\n"
        )
        self.desk = httpx.Client(base_url=f"http://127.0.0.1:{self.desk_port}", timeout=30, trust_env=False)

    @contextmanager
    def standing(self) -> Iterator["Place"]:
        office = make_server("127.0.0.1", self.office_port, self.office.app, threaded=True)
        reader = ReaderServer(self.reader, {"花子": self.card}, Path(self.config.reader_path))
        threads = [threading.Thread(target=office.serve_forever), threading.Thread(target=reader.serve_forever)]
        for thread in threads:
            thread.start()
        with httpx.Client(trust_env=False) as client:
            device = device_file(self.config)
            enrol(server_url=self.config.server_url, code="CODE", device=device, client=client)
        try:
            yield self
        finally:
            self.desk.close()
            office.shutdown()
            reader.close()
            for thread in threads:
                thread.join(10)
            office.server_close()

    @contextmanager
    def program(self) -> Iterator[subprocess.Popen[bytes]]:
        environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.file)], env=environment)
        try:
            wait_for(lambda: self.heading() not in ("", "準備しています。そのままお待ちください。"), "the desk page")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def page(self) -> str:
        try:
            return self.desk.get("/").text
        except httpx.TransportError:
            return ""

    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page(), re.DOTALL)
        return _spoken(found[1]).strip() if found else ""

    def until(self, heading: str) -> None:
        wait_for(lambda: heading in self.heading(), f"{heading}, but it is {self.heading()}", limit=60)

    def post(self, path: str, **form: str) -> httpx.Response:
        page = self.page()
        token, lease = re.search(r'data-token="([^"]+)"', page), re.search(r'data-lease="([^"]*)"', page)
        assert token
        assert lease
        return self.desk.post(path, data={"token": token[1], "lease": lease[1], **form})

    def seat(self) -> str:
        ident = self.office.call()
        self.until("カードを置いてください")
        self.reader.insert(self.card)
        self.until("手続中です")
        wait_for(lambda: self.desk.get("/relay/frame.jpg").status_code == 200, "the relay's picture", limit=60)
        return ident

    def confirm(self) -> None:
        spoken = {"outcome": "interrupted", "reason": "other", "kind": "spoken", "staff_1": "sato", "staff_2": "abe"}
        answer = self.post("/confirm", lease=str(self.office.lease), **spoken)
        assert answer.status_code == 303
        self.until("番号が呼ばれるまで")


def _spoken(page: str) -> str:
    """What a page says, without the readings over its kanji."""
    return re.sub(r"<(rt|rp)[^>]*>.*?</\1>|<[^>]*>", "", page)


def _browsers_below(pid: int) -> list[int]:
    """Browser processes among all descendants."""
    return [child.pid for child in psutil.Process(pid).children(recursive=True) if "chrom" in _name(child)]


def _name(process: psutil.Process) -> str:
    try:
        name: str = process.name()
    except psutil.NoSuchProcess:
        return ""
    return name


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Place(tmp_path_factory.mktemp("t", numbered=True)).standing() as made:
        yield made


def test_a_visit_with_a_real_browser(place: Place) -> None:
    with place.program() as process:
        ident = place.seat()
        assert place.post("/finish").status_code == 303
        place.until("ログアウトを確かめてください")
        place.confirm()
        wait_for(lambda: place.office.state(ident) is VisitState.CLOSED, "closed at the office")
        assert place.office.chain(ident) == ["bind_card", "end", "wipe_proven", "confirm"]
        assert all(message.training for message in place.office.messages)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_signal_while_a_visit_is_open_ends_and_proves_it(place: Place) -> None:
    with place.program() as process:
        ident = place.seat()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    with place.program():
        place.until("ログアウトを確かめてください")
        place.confirm()
        wait_for(lambda: place.office.state(ident) is VisitState.CLOSED, "closed at the office")


def test_a_killed_program_leaves_nothing_and_starts_by_proving_it(place: Place) -> None:
    with place.program() as process:
        ident = place.seat()
        process.kill()
        process.wait()
    with place.program():
        place.until("ログアウトを確かめてください")
        assert "端末が再起動しました" in _spoken(place.page())
        place.confirm()
        wait_for(lambda: place.office.state(ident) is VisitState.CLOSED, "closed at the office")


def test_a_second_program_on_the_same_state_is_refused(place: Place) -> None:
    with place.program():
        second = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(place.file)], check=False, capture_output=True, timeout=60
        )
    assert second.returncode != 0
    assert b"AgentAlreadyRunning" in second.stderr


def test_a_browser_that_is_killed_from_outside_ends_the_visit(place: Place) -> None:
    with place.program():
        place.seat()
        browsers = _browsers_below(os.getpid())
        assert browsers
        for pid in browsers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        place.until("ログアウトを確かめてください")
        assert "画面のソフトが止まりました" in _spoken(place.page())
