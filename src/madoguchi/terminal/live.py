"""A running browser behind its pipes, boxed or not: what both kinds of box share."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import Browser
from madoguchi.terminal.cdp import Cdp
from madoguchi.terminal.curtain import Frame
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, Screen
from madoguchi.terminal.spawn import Heartbeat, Pipes
from madoguchi.terminal.xscreen import XScreen


class Death:
    """Reports the unexpected end of a box once; after `expected` nothing is reported any more."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._told = threading.Lock()

    def expected(self) -> None:
        """The box is being destroyed: its end is no news."""
        self._told.acquire(blocking=False)

    def tell(self, what: str) -> None:
        """Report, unless it has been reported or is expected."""
        if self._told.acquire(blocking=False):
            self._report(what)


def nothing() -> None:
    """Do what 終了 does when nobody listens."""


def always() -> bool:
    """Answer for an agent that does not watch its own loop."""
    return True


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a box tells and asks its agent, from any thread: 終了 was pressed; whether its loop still turns."""

    on_finish: Callable[[], None] = nothing
    alive: Callable[[], bool] = always


class Shade(Protocol):
    """Whatever can cover the page: the bar on a real display, the relay without one."""

    def curtain(self, down: bool) -> None:  # the port's signature
        """Cover or show the page."""
        ...

    def idle_for(self) -> float | None:
        """Seconds since the last action; None when that cannot be seen."""
        ...


@contextmanager
def bar(config: BoxConfig, death: Death, hooks: Hooks) -> Iterator[Frame | None]:
    """The bar on a real display, None without one; it ends here if the box behind it does not come to be."""
    if config.display is None:
        yield None
        return
    frame = Frame(config, on_finish=hooks.on_finish, on_death=death.tell)
    try:
        yield frame
    except BaseException:
        frame.close()
        raise


class Live:
    """Browser, cover and heartbeat of one visit."""

    def __init__(self, config: BoxConfig, pipes: Pipes, death: Death, *, frame: Frame | None, hooks: Hooks) -> None:
        self._config = config
        self._pipes = pipes
        self._death = death
        self._heart = Heartbeat(pipes.beat, hooks.alive)
        self._cdp = Cdp(
            to_browser=pipes.to_browser,
            from_browser=pipes.from_browser,
            on_event=self._event,
            on_close=lambda: death.tell("the browser died"),
        )
        self._browser = Browser(self._cdp)
        self._relay = XScreen(self._cdp, config) if config.display is None else None
        self._frame = frame
        self._logout = LOGOUT_NOT_TRIED

    @property
    def screen(self) -> Screen | None:
        """The virtual screen, if that is what the box shows itself on."""
        return self._relay

    @property
    def shade(self) -> Shade:
        """What covers the page."""
        found = self._relay or self._frame
        if found is None:
            raise RuntimeError("neither display nor relay")
        return found

    @property
    def last_logout(self) -> str:
        """What the last log-out came to."""
        return self._logout

    def wait_ready(self) -> None:
        """Wait until the page is there. Raises `CdpError`."""
        if self._relay is not None:
            self._relay.start()
        self._browser.wait_ready(limit=self._config.start_limit)

    def check_closed(self) -> None:
        """See that the visit's policies hold, where the agent itself may not look. Raises `PoliciesNotInForce`."""
        if self._relay is None:
            self._browser.check_closed()

    def notice(self, text: str) -> None:
        """One line on the bar; the relay's page shows it itself."""
        if self._frame is not None:
            self._frame.notice(text)

    def logout(self, url: str) -> str:
        """Visit the log-out address."""
        if self._relay is not None:
            self._relay.leave()
        self._logout = self._browser.logout(url, limit=self._config.logout_limit)
        return self._logout

    def stop_heart(self) -> None:
        """Stop telling the box that the agent is alive. Idempotent."""
        self._heart.stop()

    def close(self) -> None:
        """Let go of everything that reaches into the box. Idempotent."""
        if self._pipes.beat < 0:
            return
        self._heart.stop()
        self._cdp.close()
        if self._frame is not None:
            self._frame.close()
        os.close(self._pipes.beat)
        os.close(self._pipes.door)
        self._pipes.beat = -1

    def _event(self, message: Mapping[str, Any]) -> None:
        if self._relay is not None:
            self._relay.event(message)
