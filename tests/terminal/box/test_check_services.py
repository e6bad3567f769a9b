"""Lines of the check that ask others, shown true and false: keeper, clock, services, display, browser."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal import check_around, check_policies
from madoguchi.terminal.check_list import BROWSER
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import TerminalConfig, box_config
from madoguchi.terminal.enrol import DeviceFile
from madoguchi.terminal.keeper import KeeperBusy
from madoguchi.terminal.keeper_line import FORM, refusal, send
from terminal.box.scratch import ME, Scratch
from terminal.box.xserver import XServer
from terminal.doubles import make_credentials


def test_an_unencrypted_server_is_wrong(scratch: Scratch) -> None:
    scratch.settings["server_url"] = "http://office.example.jp"
    assert scratch.look("ServerNotSecure") == "http://office.example.jp"


def test_the_card_service_is_there_or_not(scratch: Scratch) -> None:
    with short(scratch) as root:
        scratch.root = root
        assert scratch.look("NoPcscd") == "run/pcscd/pcscd.comm: No such file or directory"
        place = root / "run/pcscd/pcscd.comm"
        place.parent.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
            listener.listen()
            assert scratch.look("NoPcscd") is None
        assert scratch.look("NoPcscd") == "run/pcscd/pcscd.comm: Connection refused"


@contextmanager
def short(scratch: Scratch) -> Iterator[Path]:
    """The same machine under a path that is short enough for sockets."""
    handle = os.open(scratch.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("greeting", "lacks", "found"),
    [
        ("ours", [], None),
        ("ours", ["bubblewrap が入っていません。"], "bubblewrap が入っていません。"),
        ("busy", [], None),
        ("other", [], "another terminal's keeper, or of another version"),
        ("refused", [], "PeerRefused"),
        ("hangs up", [], "LineClosed"),
    ],
)
def test_the_keeper_answers_or_says_why_not(
    scratch: Scratch, greeting: str, lacks: list[str], found: str | None
) -> None:
    with short(scratch) as root:
        scratch.settings["keeper"] = str(root / "keeper.sock")
        name = box_config(scratch.machine.config).name
        first: dict[str, Any] = {
            "ours": {"done": {"name": name, "form": FORM}},
            "busy": refusal(KeeperBusy("another agent is connected")),
            "other": {"done": {"name": "0" * 16, "form": FORM}},
            "refused": {"refused": "PeerRefused", "lines": ["uid 5"]},
        }.get(greeting, {})
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(scratch.settings["keeper"])
            Path(scratch.settings["keeper"]).chmod(0o660)
            listener.listen()
            thread = threading.Thread(target=answer, args=(listener, first, lacks))
            thread.start()
            said = scratch.look("KeeperSilent")
            thread.join()
            assert (said is None) if found is None else (said is not None and found in said)
            Path(scratch.settings["keeper"]).chmod(0o666)
            assert "mode" in (scratch.look("KeeperSilent") or "")
            Path(scratch.settings["keeper"]).chmod(0o660)
            scratch.given["installer"] = ME + 1
            assert f"uid {ME}" in (scratch.look("KeeperSilent") or "")
        assert "Connection refused" in (scratch.look("KeeperSilent") or "")


def answer(listener: socket.socket, first: dict[str, Any], lacks: list[str]) -> None:
    line, _ = listener.accept()
    with line:
        if first:
            send(line, first)
            if line.recv(1 << 16):
                send(line, {"done": lacks})


@contextmanager
def office(date: Callable[[], str] | None) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(302)
            if date is not None:
                self.send_header("Date", date())
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("behind", "right"), [(0, True), (115, True), (130, False), (-130, False), (None, False), ("nonsense", False)]
)
def test_the_clock_is_the_servers(scratch: Scratch, behind: int | str | None, right: bool) -> None:
    def told() -> str:
        return (
            behind if isinstance(behind, str) else format_datetime(datetime.now(UTC) - timedelta(seconds=behind or 0))
        )

    with office(None if behind is None else told) as url:
        scratch.settings["server_url"] = url
        assert scratch.look("ServerUnreachable") is None
        assert (scratch.look("ClockFarOff") is None) is right
    assert scratch.look("ServerUnreachable") == f"{url}: ConnectError"


def test_enrolled_and_the_key_file_closed(scratch: Scratch) -> None:
    file = DeviceFile(scratch.root / "state" / "device.json")
    scratch.given["uid"] = ME
    assert scratch.look("NotEnrolled") == str(file.path)
    assert scratch.look("DeviceFileUnsafe") is None
    file.save(make_credentials())
    assert (scratch.look("NotEnrolled"), scratch.look("DeviceFileUnsafe")) == (None, None)
    file.path.chmod(0o640)
    assert "640" in (scratch.look("DeviceFileUnsafe") or "")
    file.path.chmod(0o600)
    file.path.write_text("{}")
    assert scratch.look("DeviceFileUnsafe")
    assert scratch.look("NotEnrolled") is None


def test_services_are_asked_for_only_where_systemd_runs(scratch: Scratch) -> None:
    assert scratch.look("ServicesStopped") == "systemd"
    (scratch.root / "run/systemd/system").mkdir(parents=True)
    assert "madoguchi-desk.service" in (scratch.look("ServicesStopped") or "")


def test_a_running_service_is_right(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    (scratch.root / "run/systemd/system").mkdir(parents=True)
    monkeypatch.setattr(
        check_around, "_said", lambda command, _: "" if command[-1] != "madoguchi-desk.service" else "3"
    )
    assert scratch.look("ServicesStopped") == "madoguchi-desk.service"


@pytest.mark.slow
def test_the_display_is_open_to_who_has_its_key(scratch: Scratch) -> None:
    with XServer(cookie=bytes(range(16))) as display:
        scratch.settings["display"] = display.display
        scratch.given["display_key"] = display.key
        assert scratch.look("DisplayClosed") is None
        scratch.given["display_key"] = scratch.root / "no-key"
        assert scratch.look("DisplayClosed")
    assert scratch.look("DisplayClosed")


@pytest.mark.slow
def test_the_browser_names_the_policies_it_does_not_take(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = TerminalConfig(server_url="https://x", state_dir=tmp_path, training=True)
    assert BROWSER.look(Machine(config)) is None
    known = check_policies._wanted(8787)
    monkeypatch.setattr(
        check_policies, "_wanted", lambda _: {**known, "NoSuchPolicy": True, "PrintingEnabled": "perhaps"}
    )
    assert BROWSER.look(Machine(config)) == "NoSuchPolicy: Error, PrintingEnabled: Error"
