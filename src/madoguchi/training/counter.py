"""`script/server`: prepares the training city, starts all its parts, prints where they are, stops them together."""

import json
import os
import secrets
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from madoguchi.server.prepare import prepare
from madoguchi.training.children import Children, run_once
from madoguchi.training.nation import reader_socket
from madoguchi.training.ports import Ports

if TYPE_CHECKING:
    from madoguchi.server.counters.seed import Addresses, Login

_TERMINAL = "本庁舎 端末1"
_OFFICER = "officer"
_LOOK_SECONDS = 0.5


class PortTaken(Exception):
    """A port is in use: the training counter runs already, or something else does."""

    sentence = "ポートが使われています。動いている訓練用の窓口を止めるか、--port-base で別の番号を指定してください。"


@dataclass
class TrainingCounter:
    """The training counter on loopback. `state`: absolute folder of databases, keys, logs."""

    state: Path
    port_base: int
    sites: str
    console: Console

    def __post_init__(self) -> None:
        self.ports = Ports(self.port_base)
        self.children = Children(self.state / "logs")
        self._logins: list[Login] = []

    def prepare(self) -> None:
        """Make database, city and logins; quick when they are there."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ["MADOGUCHI_STATE"] = str(self.state)
        prepare()
        from madoguchi.server.counters.seed import seed_training_city

        city = seed_training_city(addresses=self._addresses(), password=self._password(), payment_until=None)
        self._logins = city.logins

    def run(self) -> int:
        """Start everything, wait for Ctrl-C, stop everything. Exit status 1 when a part ended by itself."""
        self._check_ports()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        try:
            self._start()
            self._greet()
            return self._watch(stop)
        finally:
            self.children.stop()
            self.console.print("止まりました。Stopped.")

    def _watch(self, stop: threading.Event) -> int:
        while not stop.wait(_LOOK_SECONDS):
            ended = self.children.first_ended()
            if ended is not None:
                log = self.state / "logs" / f"{ended}.log"
                self.console.print(f"[bold]{ended} が止まりました。[/bold]記録: {log}")
                return 1
        return 0

    def _start(self) -> None:
        ports, program = self.ports, [sys.executable, "-m", "madoguchi"]
        common = ["--state", str(self.state), "--port-base", str(ports.base)]
        self.children.start("nation", [*program, "nation", *common, "--sites", self.sites])
        self.children.start(
            "server", [*program, "server", "run", "--state", str(self.state), "--port", str(ports.server)]
        )
        self.children.wait_ready("nation", ports.url(ports.panel))
        self.children.wait_ready("server", ports.url(ports.server))
        self._write_config()
        self._enrol(program)
        self.children.start("terminal", [*program, "terminal", "run", str(self._config_file)])
        self.children.wait_ready("terminal", ports.url(ports.desk))

    def _enrol(self, program: list[str]) -> None:
        """The terminal is enrolled once; its key and token stay in the state folder."""
        if (self._terminal_state / "device.json").exists():
            return
        from madoguchi.server.accounts.models import Staff
        from madoguchi.server.counters.devices import issue_code
        from madoguchi.server.counters.models import Terminal

        terminal = next(row for row in Terminal.objects.select_related("site") if str(row) == _TERMINAL)
        code = issue_code(terminal=terminal, staff=Staff.objects.get(username=_OFFICER), old_machine_off=True)
        run_once([*program, "terminal", "enrol", str(self._config_file), code])

    def _addresses(self) -> "dict[str, Addresses]":
        from madoguchi.server.counters.seed import ACCOUNT, INSURANCE, PAYMENT, RENEWAL, Addresses

        points, accounts = self.ports.url(self.ports.points), self.ports.url(self.ports.accounts)
        allowed = (points, accounts, self.ports.url(self.ports.card_client))
        sites = {PAYMENT: points, ACCOUNT: accounts, INSURANCE: accounts, RENEWAL: points}
        return {code: Addresses(f"{origin}/", f"{origin}/logout", allowed) for code, origin in sites.items()}

    def _password(self) -> str:
        """One training password, made up once: it opens nothing but this training city."""
        file = self.state / "training-password"
        if not file.exists():
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
                handle.write(f"kunren-{secrets.token_hex(4)}")
        return file.read_text()

    @property
    def _terminal_state(self) -> Path:
        return self.state / "terminal"

    @property
    def _config_file(self) -> Path:
        return self.state / "terminal.toml"

    def _write_config(self) -> None:
        ports = self.ports
        values = {
            "server_url": ports.url(ports.server),
            "state_dir": str(self._terminal_state),
            "reader": "socket",
            "reader_path": str(reader_socket(self.state)),
            "card_client": ports.url(ports.card_client),
            "display": os.environ.get("DISPLAY", ""),
        }
        lines = ["[terminal]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())]
        lines += ["training = true", f"desk_port = {ports.desk}", ""]
        self._config_file.write_text("\n".join(lines), encoding="utf-8")

    def _check_ports(self) -> None:
        for port in self.ports.all:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise PortTaken(str(port))

    def _greet(self) -> None:
        places = Table(title="訓練用の窓口が動いています Training counter", title_justify="left")
        for column in ("どこ", "アドレス"):
            places.add_column(column, overflow="fold")
        for name, port in self.ports.places:
            places.add_row(name, self.ports.url(port))
        people = Table(title="訓練用ログイン Training logins", title_justify="left")
        for column in ("ログイン名", "パスワード", "役割", "拠点"):
            people.add_column(column)
        for login in self._logins:
            people.add_row(login.username, login.password, login.role, login.site)
        self.console.print(places, people)
        self.console.print("歩き方: docs/walkthrough.md   Ctrl-C ですべて止まります。Ctrl-C stops everything.")
