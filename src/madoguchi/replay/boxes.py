"""Boxes without a browser: a box is a user agent with cookies of its own, thrown away at the end."""

from collections.abc import Callable

from madoguchi.protocol import Assignment, Procedure
from madoguchi.replay.clock import ReplayClock
from madoguchi.replay.counter import MakePages
from madoguchi.replay.errors import PageUnlike
from madoguchi.replay.pages import Pages
from madoguchi.terminal.ports import (
    LOGOUT_NOT_TRIED,
    LOGOUT_UNREACHABLE,
    LOGOUT_VISITED,
    SPACE_NONE,
    Plate,
    Screen,
    WipeProof,
)


class PageBox:
    """One visit's pages. Their end is the end of the only reference to their cookies."""

    def __init__(self, pages: Pages, clock: ReplayClock) -> None:
        self.pages: Pages | None = pages
        self._clock = clock
        self._logout = LOGOUT_NOT_TRIED

    @property
    def screen(self) -> Screen | None:
        """There is none."""
        return None

    def curtain(self, down: bool) -> None:
        """Nothing to cover: the replay asks the agent's state before it touches a page."""

    def tell(self, plate: Plate) -> None:
        """There is no bar."""

    def notice(self, text: str) -> None:
        """No bar."""

    def idle_for(self) -> float | None:
        """Not known here."""
        return None

    def logout(self, url: str) -> str:
        """See `Box.logout`."""
        if self.pages is None:
            return LOGOUT_NOT_TRIED
        try:
            self.pages.go(url)
            self._logout = LOGOUT_VISITED if self.pages.has("page-logged-out") else LOGOUT_UNREACHABLE
        except (PageUnlike, OSError):
            self._logout = LOGOUT_UNREACHABLE
        return self._logout

    def destroy(self) -> WipeProof:
        """See `Box.destroy`."""
        if self.pages is not None:
            self.pages.close()
            self.pages = None
        moment = self._clock.now().isoformat()
        return _proof(self._logout, moment)


class PageBoxes:
    """Makes `PageBox`es for one terminal; `page` is the page that stands now."""

    training = True

    def __init__(self, make_pages: MakePages, clock: ReplayClock) -> None:
        self._make_pages = make_pages
        self._clock = clock
        self._box: PageBox | None = None

    def page(self) -> Pages | None:
        """The page in the box, if there is a box."""
        return None if self._box is None else self._box.pages

    def missing(self) -> tuple[str, ...]:
        """Nothing is needed."""
        return ()

    def prepare(self, procedure: Procedure | None) -> None:
        """Nothing is kept ready."""

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> PageBox:  # noqa: ARG002 - never dies
        """See `Boxes.open`."""
        self._box = PageBox(self._make_pages(assignment.procedure.start_url), self._clock)
        return self._box

    def sweep(self) -> WipeProof:
        """See `Boxes.sweep`."""
        leftovers = 0 if self._box is None or self._box.pages is None else 1
        if self._box is not None:
            self._box.destroy()
        return _proof(LOGOUT_NOT_TRIED, None, leftovers)


def _proof(logout: str, gone_at: str | None, leftovers: int = 0) -> WipeProof:
    return WipeProof(
        training=True,
        logout=logout,
        processes_gone_at=gone_at,
        namespaces_empty_at=None,
        space_gone_at=None,
        space=SPACE_NONE,
        leftovers=leftovers,
    )
