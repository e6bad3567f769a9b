"""How the screen speaks to the person who is there: language, size, contrast, readings. For one visit only."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final

from madoguchi.protocol import Terminal
from madoguchi.terminal.errors import ClosedElsewhere, FormIncomplete
from madoguchi.terminal.languages import LANGUAGES
from madoguchi.terminal.loop import Loop

SIZES: Final = ("normal", "large", "largest")
CONTRASTS: Final = ("normal", "high")
KANA: Final = ("on", "off")
_ALLOWED: Final = {"language": LANGUAGES, "size": SIZES, "contrast": CONTRASTS, "kana": KANA}
_ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """`language` of `LANGUAGES`, `size` of `SIZES`, `contrast` of `CONTRASTS`, `kana` (readings of kanji) of `KANA`."""

    language: str = "ja"
    size: str = "normal"
    contrast: str = "normal"
    kana: str = "on"

    def changed(self, form: Mapping[str, str]) -> "Manner":
        """With what the form names; the rest stays. Raises `FormIncomplete` for a value that is none."""
        named = {name: form[name] for name in _ALLOWED if name in form}
        for name, value in named.items():
            if value not in _ALLOWED[name]:
                raise FormIncomplete(name)
        return replace(self, **named)

    def to_json(self) -> dict[str, str]:
        """Plain object for the page."""
        return asdict(self)


class Manners:
    """Keeps the manner of the visit that is there, in memory alone, and forgets it with the visit.

    `now` belongs to the agent's loop; `choose` may be called from any thread. `changed` is told in the loop.
    """

    def __init__(self, *, loop: Loop, language: str, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._first = self.now = Manner(language=language)
        self._terminal: Terminal | None = None
        self._changed = changed

    def language(self) -> str:
        """The language to speak now."""
        return self.now.language

    def choose(self, lease: int, manner: Manner) -> None:
        """Take the choice of the person under this lease, and wait until it holds.

        Raises `ClosedElsewhere` when that visit is no longer here, `AgentBusy`.
        """
        done: Future[None] = Future()
        self._loop.put(partial(self._take, lease, manner, done))
        self._loop.result(done, seconds=_ASK_SECONDS, what="manner")

    def entered(self, before: Terminal, after: Terminal) -> None:
        """Forget when the visit has gone or is another. Told of every step."""
        self._terminal = after
        if (before.visit, before.lease) != (after.visit, after.lease):
            self.now = self._first

    def _take(self, lease: int, manner: Manner, done: Future[None]) -> None:
        terminal = self._terminal
        if terminal is None or terminal.visit is None or terminal.lease != lease:
            done.set_exception(ClosedElsewhere(str(lease)))
            return
        self.now = manner
        # answered after this item: by then the picture that the page is made from shows the choice
        self._loop.soon(partial(done.set_result, None))
        self._changed()
