"""The seam between the agent (rules, journal, server) and what it drives (box, browser, screen).

Threads: the agent calls `Boxes` and `Box` from its loop thread only, which lives as long as the process (a box dies
with the thread that started it). `Screen` and `Box.idle_for` may be called from any thread. `on_death` may be called
from any thread; it only queues an event.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

from madoguchi.protocol import Assignment, Procedure

LOGOUT_VISITED = "visited"
LOGOUT_UNREACHABLE = "unreachable"
LOGOUT_NOT_TRIED = "not_tried"

SPACE_UNMOUNTED = "unmounted"
SPACE_NAMESPACE = "namespace"
SPACE_NONE = "none"


@dataclass(frozen=True, slots=True)
class WipeProof:
    """What was observed when a box ended. Times are RFC 3339 with offset; None: there was nothing to observe.

    `training`: not a real box, the proof proves nothing about a citizen's data. `logout`: the site's log-out address
    (`LOGOUT_*`). `space`: how the file space ended: a non-lazy umount succeeded, it died with its namespace, or there
    was none (`SPACE_*`). `leftovers`: how many processes or spaces of an earlier agent a sweep had to destroy.
    """

    training: bool
    logout: str
    processes_gone_at: str | None
    namespaces_empty_at: str | None
    space_gone_at: str | None
    space: str
    leftovers: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object for the evidence."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WipeProof":
        """Inverse of `to_json`; unknown names are dropped."""
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})


class Screen(Protocol):
    """The picture of a box that runs in its own virtual screen (training without a display only)."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels: the coordinates of `click` and `scroll`."""
        ...

    def frame(self) -> bytes | None:
        """Take the picture now, as JPEG; None while there is none. Never stored."""
        ...

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Press and release a pointer button (1 left, 2 middle, 3 right)."""
        ...

    def scroll(self, x: int, y: int, steps: int) -> None:
        """Turn the wheel at a place; positive is down."""
        ...

    def key(self, name: str) -> None:
        """Press one named key, as in `KeyboardEvent.key`: Enter, Tab, Backspace, ArrowDown and so on."""
        ...

    def text(self, text: str) -> None:
        """Type characters. Never stored, never logged."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """What stands on the bar and on the curtain of a visit.

    `language` is one of `languages.LANGUAGES`. `grace`: seconds within which the same card may come back, counted down
    on the curtain. `ending`: the curtain says that the screen is being wiped, instead of asking for the card.
    """

    ticket: str = ""
    procedure: str = ""
    language: str = "ja"
    grace: float = 0.0
    ending: bool = False


class Box(Protocol):
    """One throw-away browser in its own process and file space."""

    @property
    def screen(self) -> Screen | None:
        """The virtual screen, or None when the box shows itself on a real display."""
        ...

    def curtain(self, down: bool) -> None:
        """Cover (True) or show (False) the page at once. Idempotent. Any failure is doubt: the agent ends the visit."""
        ...

    def tell(self, plate: Plate) -> None:
        """Put this on the bar and the curtain from now on. Never raises: words are no safety."""
        ...

    def notice(self, text: str) -> None:
        """Show one line on the bar (the idle warning); an empty text takes it away."""
        ...

    def idle_for(self) -> float | None:
        """Seconds since the last key or pointer action in the box; None when that cannot be seen."""
        ...

    def logout(self, url: str) -> str:
        """Visit the site's log-out address, best effort, bounded (3 s); one of `LOGOUT_*`. Never raises."""
        ...

    def destroy(self) -> WipeProof:
        """Kill the space and prove it. Once proven, a second call returns the same proof. Raises `WipeUnproven`.

        `logout` in the proof is what the last `logout` call answered.
        """
        ...


class Boxes(Protocol):
    """Makes boxes and sweeps what an earlier agent left."""

    @property
    def training(self) -> bool:
        """True when the boxes are not real ones: screens and evidence say so."""
        ...

    def missing(self) -> tuple[str, ...]:
        """Name what this machine lacks for a real box, one Japanese line each; empty when nothing. Cheap."""
        ...

    def prepare(self, procedure: Procedure | None) -> None:
        """Keep a box ready that has loaded nothing, for a visit of this procedure; None: keep none. Cheap if it is so.

        Called while no visit is open. Raises `BoxUnavailable`; `WipeUnproven` when an old one cannot be proven gone.
        """
        ...

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> Box:
        """Open a box for the visit at its procedure's start address. Raises `BoxUnavailable`, `WipeUnproven`.

        `on_death(what)` is called once when the box ends without `destroy` (browser or namespace died).
        """
        ...

    def sweep(self) -> WipeProof:
        """Destroy whatever any agent left on this machine, and prove it. Raises `WipeUnproven`."""
        ...
