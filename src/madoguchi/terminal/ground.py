"""Where boxes stand: what makes the namespaces and the file space of a box, and observes their end.

The seam between a box as the agent drives it (`box`) and the rights that it takes to make one. `LocalGround` works in
the agent's own process: as root, or as an ordinary user by bubblewrap alone. An installed terminal asks its keeper
instead, the one privileged program, so that agent and browser are two ordinary users.
"""

import os
import secrets
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TextIO

from madoguchi.protocol import Procedure
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import browser_command
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
from madoguchi.terminal.ports import WipeProof
from madoguchi.terminal.proof import Traces, prove
from madoguchi.terminal.space import Space, SpaceHeld, make_space, prepare_runtime
from madoguchi.terminal.spawn import Inner, high_pair, launch, marks, read_info, visitor
from madoguchi.terminal.sweep import sweep


@dataclass(frozen=True, slots=True)
class Order:
    """What a box is made for: the procedure, the display's width and height in pixels, the box's ends of its pipes."""

    procedure: Procedure
    size: tuple[int, int]
    inner: Inner


class Hold(Protocol):
    """A box that has been started, and nothing of which can be lost sight of."""

    def settle(self) -> None:
        """Remember what can be read only while it lives, once its browser runs. Raises `BoxUnavailable`."""
        ...

    def kill(self) -> None:
        """Kill everything in it; does not wait."""
        ...

    def prove(self, *, logout: str) -> WipeProof:
        """Observe its end, killing until it is seen; once only. Raises `WipeUnproven`; then it may be asked again."""
        ...


class Ground(Protocol):
    """Whoever has the rights to make boxes."""

    def missing(self) -> tuple[str, ...]:
        """Name what is lacking, one Japanese line each; empty when nothing. Cheap."""
        ...

    def start(self, order: Order) -> Hold:
        """Start a box; closes the order's descriptors here. Raises `BoxUnavailable`: then nothing stays behind."""
        ...

    def sweep(self) -> WipeProof:
        """Destroy every box of this agent, whoever started it, and prove it. Raises `WipeUnproven`."""
        ...


class LocalGround:
    """Makes boxes from this very process, in the thread that calls, which has to live as long as they."""

    def __init__(self, config: BoxConfig) -> None:
        self._config = config

    def missing(self) -> tuple[str, ...]:
        """Name what this machine lacks."""
        return missing_rights(self._config)

    def start(self, order: Order) -> "LocalHold":
        """Start a box (port `Ground.start`)."""
        try:
            space = _furnished_space(self._config, order.procedure)
            monitor, traces = _start(self._config, order, space)
        finally:
            order.inner.close()
        return LocalHold(self._config, space, monitor, traces)

    def sweep(self) -> WipeProof:
        """Destroy whatever is left (port `Ground.sweep`)."""
        return sweep(self._config)


class LocalHold:
    """A box that this process has started (port `Hold`)."""

    def __init__(self, config: BoxConfig, space: Space, monitor: subprocess.Popen[bytes], traces: Traces) -> None:
        self._config = config
        self._space = space
        self._monitor = monitor
        self.traces = traces

    def settle(self) -> None:
        """Remember the box's own memory file systems."""
        with suppress(OSError):
            self.traces.note_devices()
        if not self.traces.devices:
            raise BoxUnavailable("箱に、自分だけの場所がありません (the box has no file space of its own)。")

    def kill(self) -> None:
        """Kill its PID 1, and bubblewrap outside."""
        self.traces.kill()
        self._monitor.kill()

    def prove(self, *, logout: str) -> WipeProof:
        """Observe its end."""
        limit = self._config.proof_limit
        proof = prove(traces=self.traces, space=self._space, logout=logout, kill=self.kill, limit=limit)
        self._monitor.wait()
        return proof


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


def _start(config: BoxConfig, order: Order, space: Space) -> tuple[subprocess.Popen[bytes], Traces]:
    """Start bubblewrap and take hold of the box. Whatever fails, nothing stays behind. Raises `BoxUnavailable`."""
    info, info_in = high_pair(os.pipe())
    try:
        with os.fdopen(info, encoding="utf-8") as report:
            monitor = _launch(config, order, space, info_in)
            return monitor, _taken(monitor, report)
    except BoxUnavailable as error:
        with suppress(SpaceHeld):
            space.release()
        raise BoxUnavailable(f"箱を作れません: {error}") from error


def _taken(monitor: subprocess.Popen[bytes], report: TextIO) -> Traces:
    try:
        return Traces.take(*read_info(report))
    except (BoxUnavailable, ProcessLookupError) as error:
        monitor.kill()
        monitor.wait()
        reason = str(error) if isinstance(error, BoxUnavailable) else "すぐに終わりました (it ended at once)。"
        raise BoxUnavailable(reason) from error


def _launch(config: BoxConfig, order: Order, space: Space, info: int) -> subprocess.Popen[bytes]:
    try:
        command = browser_command(config, home=HOME, size=order.size)
        wrapped = bubblewrap_arguments(config, space=space, info=info)
        inner = script_environment(config, order.inner, boxed=True)
        return launch(
            [*wrapped, *script_arguments(command)],
            environment={**browser_environment(config, home=HOME), **inner, **marks(config)},
            person=visitor(config),
            inherited=(*order.inner, info),
        )
    finally:
        os.close(info)
