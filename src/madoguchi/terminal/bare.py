"""Training without a box: an ordinary browser in a directory of its own, for newcomers on a machine without rights.

It proves nothing, and says so: every proof carries `training` and the space `none`. Refused outside training.
"""

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from madoguchi.protocol import Assignment, Procedure
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import browser_command
from madoguchi.terminal.cdp import CdpError
from madoguchi.terminal.check import can_sandbox, check_bare
from madoguchi.terminal.curtain import CurtainFailed
from madoguchi.terminal.egress import hand_out_own
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.inside import browser_environment, display_key, script_arguments, script_environment
from madoguchi.terminal.live import Death, Hooks, Live, Shown, always, bar, nothing
from madoguchi.terminal.policies import reachable
from madoguchi.terminal.ports import SPACE_NONE, WipeProof
from madoguchi.terminal.space import prepare_runtime, tidy
from madoguchi.terminal.spawn import Person, Pipes, launch, marks, visitor
from madoguchi.terminal.sweep import kill_leftovers, sweep


class BareBoxes:
    """Port `Boxes` without boxes. Raises `BoxUnavailable` when it is made outside training."""

    def __init__(
        self, config: BoxConfig, *, on_finish: Callable[[], None] = nothing, alive: Callable[[], bool] = always
    ) -> None:
        if not config.training:
            raise BoxUnavailable("箱なしで動くのは練習のときだけです (training only)。")
        self._config = config
        self._hooks = Hooks(on_finish, alive)

    @property
    def training(self) -> bool:
        """Nothing here protects a citizen."""
        return True

    def missing(self) -> tuple[str, ...]:
        """Name what even this needs, one line each."""
        return tuple(missing.line() for missing in check_bare(self._config))

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> "BareBox":
        """Start a browser (port `Boxes.open`). Raises `BoxUnavailable`."""
        if missing := self.missing():
            raise BoxUnavailable(*missing)
        try:
            box = BareBox(self._config, assignment.procedure, self._hooks)
        except CurtainFailed as error:
            raise BoxUnavailable(f"画面に帯を出せません: {error} (no bar on the display)。") from error
        box.death.listen(on_death)
        try:
            box.enter()
        except (CdpError, CurtainFailed) as error:
            box.destroy()
            raise BoxUnavailable(f"ブラウザが動き出しません: {error.code} (the browser does not start)。") from error
        return box

    def prepare(self, procedure: Procedure | None) -> None:
        """Nothing is kept ready (port `Boxes.prepare`)."""

    def sweep(self) -> WipeProof:
        """Destroy what an earlier agent left (port `Boxes.sweep`)."""
        return sweep(self._config, training=True)


class BareBox(Shown):
    """One browser without a box (port `Box`)."""

    def __init__(self, config: BoxConfig, procedure: Procedure, hooks: Hooks) -> None:
        self._config = config
        self._start_url = procedure.start_url
        self.death = death = Death()
        self._destroying = threading.Lock()
        with bar(config, death, hooks) as frame:
            size = config.size if frame is None else frame.size()
            person = visitor(config)
            prepare_runtime(config.runtime)
            self._home = _make_home(config.runtime / secrets.token_hex(8), person, display_key(config))
            pipes = Pipes()
            proxy = hand_out_own(pipes.inner.door)
            command = browser_command(config, home=str(self._home), size=size, proxy=proxy)
            self._process = _launch(config, command, self._home, person, pipes)
            places = reachable(procedure, card_client=config.card_client)
            self._live = Live(config, pipes, death, frame=frame, hooks=hooks, places=places)

    def enter(self) -> None:
        """Wait until the browser is ready, and go to the start address. Raises `CdpError`, `CurtainFailed`."""
        self._live.wait_ready()
        self._live.enter(self._start_url)

    def destroy(self) -> WipeProof:
        """Kill what is ours and remove its directory. Raises `WipeUnproven` when that fails: even here it is said."""
        self.death.expected()
        with self._destroying:
            self._live.close()
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            kill_leftovers(self._config, deadline=time.monotonic() + self._config.proof_limit)
            shutil.rmtree(self._home, ignore_errors=True)
            if self._home.exists():
                raise WipeUnproven("the browser's directory cannot be removed")
            tidy(self._config.runtime)
            return WipeProof(
                training=True,
                logout=self._live.last_logout,
                processes_gone_at=None,
                namespaces_empty_at=None,
                space_gone_at=None,
                space=SPACE_NONE,
            )


def _make_home(place: Path, person: Person, key: bytes) -> Path:
    place.mkdir(mode=0o700)
    (place / ".Xauthority").write_bytes(key)
    for path in (place / ".Xauthority", place):
        os.chown(path, person.uid, person.gid)
    return place


def _launch(config: BoxConfig, command: list[str], home: Path, person: Person, pipes: Pipes) -> subprocess.Popen[bytes]:
    """Start the browser in its own process group. Where the kernel allows no sandbox at all it runs without one."""
    inner = script_environment(config, pipes.inner, boxed=False)
    if not can_sandbox(person):
        command.insert(1, "--no-sandbox")
    try:
        return launch(
            script_arguments(command),
            environment={**browser_environment(config, home=str(home)), **inner, **marks(config)},
            person=person,
            inherited=pipes.inner,
        )
    except BoxUnavailable:
        pipes.close_outer()
        shutil.rmtree(home, ignore_errors=True)
        raise
    finally:
        pipes.inner.close()
