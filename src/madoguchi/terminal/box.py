"""Real boxes: one throw-away browser per visit, in namespaces and a file space of its own, made by bubblewrap."""

import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from madoguchi.protocol import Assignment
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import Browser, browser_command
from madoguchi.terminal.cdp import Cdp, CdpError
from madoguchi.terminal.check import missing_rights
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.inside import (
    HOME,
    browser_environment,
    bubblewrap_arguments,
    script_arguments,
    script_environment,
)
from madoguchi.terminal.policies import policies_for, write_policies
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, Screen, WipeProof
from madoguchi.terminal.proof import Traces, prove
from madoguchi.terminal.space import MountedSpace, NamespaceSpace, Space, prepare_runtime
from madoguchi.terminal.spawn import Heartbeat, Pipes, launch, marks, read_info, visitor
from madoguchi.terminal.sweep import sweep


class BwrapBoxes:
    """Makes boxes with bubblewrap (port `Boxes`). `on_finish` is called when 終了 is pressed on the bar."""

    training = False

    def __init__(self, config: BoxConfig, *, on_finish: Callable[[], None] = lambda: None) -> None:
        self._config = config
        self._on_finish = on_finish

    def missing(self) -> tuple[str, ...]:
        """Name what this machine lacks, one Japanese line each."""
        return missing_rights(self._config)

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> "BwrapBox":
        """Start a box (port `Boxes.open`). Raises `BoxUnavailable`, and `WipeUnproven` if a failed start stays."""
        if missing := self.missing():
            raise BoxUnavailable(*missing)
        box = BwrapBox(self._config, assignment, on_death)
        try:
            box.wait_ready()
        except CdpError as error:
            box.destroy()
            raise BoxUnavailable(f"ブラウザが動き出しません: {error.code} (the browser does not start)。") from error
        return box

    def sweep(self) -> WipeProof:
        """Destroy what an earlier agent left (port `Boxes.sweep`)."""
        return sweep(self._config)


class BwrapBox:
    """One box (port `Box`)."""

    screen: Screen | None = None

    def __init__(self, config: BoxConfig, assignment: Assignment, on_death: Callable[[str], None]) -> None:
        self._config = config
        self._on_death = on_death
        self._logout = LOGOUT_NOT_TRIED
        self._ending = threading.Event()
        self._destroying = threading.Lock()
        self._space = make_space(config)
        procedure = assignment.procedure
        policies = policies_for(procedure, card_client=config.card_client, inspectable=config.display is None)
        write_policies(self._space.policies, policies)
        self._start(browser_command(config, procedure, home=HOME))

    def _start(self, command: list[str]) -> None:
        pipes = Pipes()
        self._monitor, self._traces = _launch(self._config, command, self._space, pipes)
        self._heart = Heartbeat(pipes.beat)
        self._spare_ends: tuple[int, ...] = (pipes.beat, pipes.info)
        self._cdp = Cdp(
            to_browser=pipes.to_browser,
            from_browser=pipes.from_browser,
            on_event=self._event,
            on_close=self._closed,
        )
        self._browser = Browser(self._cdp)

    def wait_ready(self) -> None:
        """Wait until the page is there. Raises `CdpError`."""
        self._browser.wait_ready(limit=self._config.start_limit)
        self._traces.note_devices()

    def curtain(self, down: bool) -> None:  # the port's signature
        """Cover or show the page."""

    def notice(self, text: str) -> None:
        """Show one line on the bar."""

    def idle_for(self) -> float | None:
        """Seconds since the last action."""
        return None

    def logout(self, url: str) -> str:
        """Visit the log-out address."""
        self._logout = self._browser.logout(url, limit=self._config.logout_limit)
        return self._logout

    def destroy(self) -> WipeProof:
        """Kill the space and prove it."""
        self._ending.set()
        with self._destroying:
            self._kill()
            proof = prove(
                traces=self._traces,
                space=self._space,
                logout=self._logout,
                kill=self._kill,
                limit=self._config.proof_limit,
            )
            self._let_go()
            return proof

    def _kill(self) -> None:
        self._traces.kill()
        self._monitor.kill()

    def _let_go(self) -> None:
        self._monitor.wait()
        self._cdp.close()
        self._heart.stop()
        for descriptor in self._spare_ends:
            os.close(descriptor)
        self._spare_ends = ()

    def _event(self, message: Mapping[str, Any]) -> None:
        pass

    def _closed(self) -> None:
        if not self._ending.is_set():
            self._on_death("the browser died")


def make_space(config: BoxConfig) -> Space:
    """Make a new, empty file space for one visit. Raises `BoxUnavailable`."""
    person = visitor(config)
    prepare_runtime(config.runtime)
    base = config.runtime / secrets.token_hex(8)
    if os.geteuid() == 0:
        return MountedSpace(base, size_mib=config.space_mib, uid=person.uid, gid=person.gid)
    return NamespaceSpace(base, size_mib=config.space_mib)


def _launch(
    config: BoxConfig, command: list[str], space: Space, pipes: Pipes
) -> tuple[subprocess.Popen[bytes], Traces]:
    """Start bubblewrap and take hold of the box. Whatever fails, nothing stays behind. Raises `BoxUnavailable`."""
    inner = script_environment(
        cdp_in=pipes.cdp_in,
        cdp_out=pipes.cdp_out,
        beat=pipes.beat_in,
        virtual=config.size if config.display is None else None,
        boxed=True,
    )
    environment = {**browser_environment(config, home=HOME), **inner, **marks(config)}
    wrapped = bubblewrap_arguments(config, space=space.arguments(), policies=space.policies, info=pipes.info_in)
    try:
        monitor = launch(
            [*wrapped, *script_arguments(command)], environment=environment, person=visitor(config), pipes=pipes
        )
    except BoxUnavailable:
        pipes.close_outer()
        space.release()
        raise
    try:
        init, namespaces = read_info(pipes.info)
        return monitor, Traces.take(init, namespaces)
    except (BoxUnavailable, ProcessLookupError) as error:
        monitor.kill()
        monitor.wait()
        pipes.close_outer()
        with suppress(Exception):
            space.release()
        raise BoxUnavailable("箱を作れませんでした (the box ended while it was being made)。") from error
