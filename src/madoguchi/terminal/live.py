"""A running browser behind its pipes, boxed or not: what both kinds of box share."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import Browser
from madoguchi.terminal.cdp import Cdp, CdpTimeout
from madoguchi.terminal.curtain import Frame
from madoguchi.terminal.egress import Egress
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, Plate, Screen
from madoguchi.terminal.spawn import Heartbeat, Pipes
from madoguchi.terminal.xscreen import XScreen

_PAUSE = 0.05


class Death:
    """Reports the unexpected end of a box once; after `expected` nothing is reported any more."""

    def __init__(self) -> None:
        self._report: Callable[[str], None] = _unheard
        self._told = threading.Lock()

    @property
    def told(self) -> bool:
        """Whether the end came, or is expected."""
        return self._told.locked()

    def listen(self, report: Callable[[str], None]) -> None:
        """Report to this from now on; an end that came before is found by `told`."""
        self._report = report

    def expected(self) -> None:
        """The box is being destroyed: its end is no news."""
        self._told.acquire(blocking=False)

    def tell(self, what: str) -> None:
        """Report, unless it has been reported or is expected."""
        if self._told.acquire(blocking=False):
            self._report(what)


def _unheard(_what: str) -> None:
    """A box that nobody uses yet has ended: whoever wants it sees that it has."""


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
    frame = Frame(config, on_finish=hooks.on_finish, on_death=death.tell, hidden=True)
    try:
        yield frame
    except BaseException:
        frame.close()
        raise


class Live:
    """Browser, cover, way out and heartbeat of one box. It waits until `enter`. `places`: where it may go then."""

    def __init__(
        self,
        config: BoxConfig,
        pipes: Pipes,
        death: Death,
        *,
        frame: Frame | None,
        hooks: Hooks,
        places: Iterable[str],
    ) -> None:
        self._config = config
        self._pipes = pipes
        self._death = death
        self._heart = Heartbeat(pipes.beat, hooks.alive)
        self._egress = Egress(pipes.door, places, plain=config.training, failed=death.tell)
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

    @property
    def waits(self) -> bool:
        """Whether the browser waits for its visit."""
        return self._egress.wait_waiting(0)

    def wait_ready(self) -> None:
        """Wait until the browser waits for its visit. Raises `CdpError`."""
        if self._relay is not None:
            self._relay.start()
        deadline = time.monotonic() + self._config.start_limit
        self._browser.wait_ready(limit=self._config.start_limit)
        while not self._egress.wait_waiting(_PAUSE):
            self._browser.pages()
            if time.monotonic() > deadline:
                raise CdpTimeout("the browser asks for nothing")

    def enter(self, url: str) -> None:
        """Let the browser go to the start address, and show it. Raises `CdpError`, `CurtainFailed`."""
        self._egress.go(url)
        if self._frame is not None:
            self._browser.show(self._frame.size())
            self._frame.show()

    def check_closed(self) -> None:
        """See that the visit's policies hold, where the agent itself may not look. Raises `PoliciesNotInForce`."""
        if self._relay is None:
            self._browser.check_closed()

    def tell(self, plate: Plate) -> None:
        """What stands on bar and curtain; the relay's page shows it itself."""
        if self._frame is not None:
            self._frame.tell(plate)

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

    def let_go(self) -> None:
        """Stop telling the box that the agent is alive, and cut its way out. Idempotent."""
        self._heart.stop()
        self._egress.close()

    def close(self) -> None:
        """Let go of everything that reaches into the box. Idempotent."""
        if self._pipes.beat < 0:
            return
        self.let_go()
        self._cdp.close()
        if self._frame is not None:
            self._frame.close()
        os.close(self._pipes.beat)
        os.close(self._pipes.door)
        self._pipes.beat = -1

    def _event(self, message: Mapping[str, Any]) -> None:
        if self._relay is not None:
            self._relay.event(message)


class Shown:
    """What a visit does with an open box (port `Box`) between its beginning and its end, whichever kind it is."""

    _live: Live

    @property
    def screen(self) -> Screen | None:
        """The virtual screen, if there is no display."""
        return self._live.screen

    def curtain(self, down: bool) -> None:  # the port's signature
        """Cover or show the page."""
        self._live.shade.curtain(down)

    def tell(self, plate: Plate) -> None:
        """What stands on the bar, if there is one."""
        self._live.tell(plate)

    def notice(self, text: str) -> None:
        """Show one line on the bar."""
        self._live.notice(text)

    def idle_for(self) -> float | None:
        """Seconds since the last action."""
        return self._live.shade.idle_for()

    def logout(self, url: str) -> str:
        """Visit the site's log-out address."""
        return self._live.logout(url)
