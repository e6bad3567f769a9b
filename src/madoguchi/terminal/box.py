"""Real boxes: one throw-away browser per visit, in namespaces and a file space of its own, made by bubblewrap."""

import secrets
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress

from madoguchi.protocol import Assignment, Procedure
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import browser_command
from madoguchi.terminal.cdp import CdpError
from madoguchi.terminal.check import missing_rights
from madoguchi.terminal.curtain import CurtainFailed
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.inside import (
    HOME,
    browser_environment,
    bubblewrap_arguments,
    script_arguments,
    script_environment,
)
from madoguchi.terminal.live import Death, Hooks, Live, always, bar, nothing
from madoguchi.terminal.policies import policies_for, write_policies
from madoguchi.terminal.ports import Screen, WipeProof
from madoguchi.terminal.proof import Traces, prove
from madoguchi.terminal.space import Space, SpaceHeld, make_space, prepare_runtime
from madoguchi.terminal.spawn import Pipes, launch, marks, read_info, visitor
from madoguchi.terminal.sweep import sweep


class BwrapBoxes:
    """Makes boxes with bubblewrap (port `Boxes`).

    From any thread, `on_finish` is called when 終了 is pressed, and `alive` is asked twice a second whether the agent's
    loop still turns: two seconds after the last yes the box ends itself.
    """

    def __init__(
        self, config: BoxConfig, *, on_finish: Callable[[], None] = nothing, alive: Callable[[], bool] = always
    ) -> None:
        self._config = config
        self._hooks = Hooks(on_finish, alive)
        self._last: BwrapBox | None = None

    @property
    def training(self) -> bool:
        """These are real boxes."""
        return False

    def missing(self) -> tuple[str, ...]:
        """Name what this machine lacks, one line each."""
        return missing_rights(self._config)

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> "BwrapBox":
        """Start a box (port `Boxes.open`).

        Raises `BoxUnavailable`; `WipeUnproven` when the start failed and what it left cannot be proven gone.
        """
        if missing := self.missing():
            raise BoxUnavailable(*missing)
        try:
            box = BwrapBox(self._config, assignment.procedure, Death(on_death), self._hooks)
        except CurtainFailed as error:
            raise BoxUnavailable(f"画面に帯を出せません: {error} (no bar on the display)。") from error
        self._last = box
        try:
            box.wait_ready()
        except CdpError as error:
            box.destroy()
            raise BoxUnavailable(f"ブラウザが動き出しません: {error.code} (the browser does not start)。") from error
        return box

    def sweep(self) -> WipeProof:
        """Destroy what an earlier agent left, and the last box of this one (port `Boxes.sweep`)."""
        proof = sweep(self._config)
        if self._last is not None:
            self._last.destroy()
        return proof


class BwrapBox:
    """One box (port `Box`); made by `BwrapBoxes.open`."""

    def __init__(self, config: BoxConfig, procedure: Procedure, death: Death, hooks: Hooks) -> None:
        self._config = config
        self._death = death
        self._destroying = threading.Lock()
        self._proof: WipeProof | None = None
        with bar(config, death, hooks) as frame:
            size = config.size if frame is None else frame.size()
            self._space = _furnished_space(config, procedure)
            pipes = Pipes()
            command = browser_command(config, procedure, home=HOME, size=size)
            self._monitor, self.traces = _start(config, command, self._space, pipes)
            self._live = Live(config, pipes, death, frame=frame, hooks=hooks)

    @property
    def screen(self) -> Screen | None:
        """The virtual screen, if there is no display."""
        return self._live.screen

    def wait_ready(self) -> None:
        """Wait until the page is there. Raises `CdpError`."""
        self._live.wait_ready()
        self._live.check_closed()
        self.traces.note_devices()
        if not self.traces.devices:
            raise CdpError("the box has no file space of its own")

    def curtain(self, down: bool) -> None:  # the port's signature
        """Cover or show the page."""
        self._live.shade.curtain(down)

    def notice(self, text: str) -> None:
        """Show one line on the bar."""
        self._live.notice(text)

    def idle_for(self) -> float | None:
        """Seconds since the last action."""
        return self._live.shade.idle_for()

    def logout(self, url: str) -> str:
        """Visit the site's log-out address."""
        return self._live.logout(url)

    def destroy(self) -> WipeProof:
        """Kill the space and prove it. Once proven, the same proof again: the kernel reuses the numbers looked for."""
        self._death.expected()
        with self._destroying:
            if self._proof is not None:
                return self._proof
            self._live.stop_heart()
            self._kill()
            self._proof = prove(
                traces=self.traces,
                space=self._space,
                logout=self._live.last_logout,
                kill=self._kill,
                limit=self._config.proof_limit,
            )
            self._monitor.wait()
            self._live.close()
            return self._proof

    def _kill(self) -> None:
        self.traces.kill()
        self._monitor.kill()


def _furnished_space(config: BoxConfig, procedure: Procedure) -> Space:
    """Make a space with the visit's policies in it. Raises `BoxUnavailable`."""
    prepare_runtime(config.runtime)
    space = make_space(config.runtime / secrets.token_hex(8), config=config, person=visitor(config))
    policies = policies_for(procedure, card_client=config.card_client, inspectable=config.display is None)
    try:
        write_policies(space.policies, policies)
    except OSError as error:
        with suppress(SpaceHeld):
            space.release()
        raise BoxUnavailable(
            f"対応の場所に書けません: {error.strerror} (the visit's space is not writable)。"
        ) from error
    return space


def _start(config: BoxConfig, command: list[str], space: Space, pipes: Pipes) -> tuple[subprocess.Popen[bytes], Traces]:
    """Start bubblewrap and take hold of the box. Whatever fails, nothing stays behind. Raises `BoxUnavailable`."""
    try:
        monitor = _launch(config, command, space, pipes)
        try:
            init, namespaces = read_info(pipes.info)
            return monitor, Traces.take(init, namespaces)
        except (BoxUnavailable, ProcessLookupError):
            monitor.kill()
            monitor.wait()
            raise
    except (BoxUnavailable, ProcessLookupError) as error:
        pipes.close_outer()
        with suppress(SpaceHeld):
            space.release()
        reason = str(error) if isinstance(error, BoxUnavailable) else "すぐに終わりました (it ended at once)。"
        raise BoxUnavailable(f"箱を作れません: {reason}") from error


def _launch(config: BoxConfig, command: list[str], space: Space, pipes: Pipes) -> subprocess.Popen[bytes]:
    inner = script_environment(config, pipes, boxed=True)
    wrapped = bubblewrap_arguments(config, space=space, info=pipes.info_in)
    return launch(
        [*wrapped, *script_arguments(command)],
        environment={**browser_environment(config, home=HOME), **inner, **marks(config)},
        person=visitor(config),
        pipes=pipes,
    )
