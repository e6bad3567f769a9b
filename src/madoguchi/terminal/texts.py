"""What the screens say, derived from the catalogues: which text for which state, proof, cause or error."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from markupsafe import Markup

from madoguchi.protocol import EndCause, ProtocolError
from madoguchi.terminal.errors import AgentBusy, ClosedElsewhere, ForeignForm, FormIncomplete, TerminalError
from madoguchi.terminal.languages import JAPANESE, READING, Catalogue, catalogue
from madoguchi.terminal.manner import Manner
from madoguchi.terminal.ports import SPACE_NONE, WipeProof
from madoguchi.terminal.status import View

BIND_REFUSED: Final = catalogue("ja").plain("say.bind_refused")

ABSENT_REASONS: Final = tuple(key.removeprefix("absence.") for key in catalogue("ja") if key.startswith("absence."))
"""Why nobody could confirm; the reason is kept by this name."""

FIELDS: Final = ("outcome", "reason", "own_name", "kind", "strokes", "witness", "staff_1", "staff_2", "absence")
"""Fields of the confirmation in the order of the page."""

_WITH_MORE: Final = frozenset(View) & {
    View.LOCKED,
    View.WAITING_CARD,
    View.CURTAINED,
    View.ENDING,
    View.QUARANTINED,
}
_SENTENCES: Final[dict[type[Exception], str]] = {
    FormIncomplete: "error.incomplete",
    AgentBusy: "error.again",
    ForeignForm: "error.old_page",
    ClosedElsewhere: "error.elsewhere",
    ProtocolError: "error.elsewhere",
}


@dataclass(frozen=True, slots=True)
class Saying:
    """Texts in the manner of the person who is there; `beside` is a second language for whoever helps."""

    manner: Manner

    @property
    def catalogue(self) -> Catalogue:
        """The texts of the chosen language."""
        return catalogue(self.manner.language)

    @property
    def lang(self) -> str:
        """The tag of the chosen language."""
        return self.catalogue.lang

    @property
    def beside(self) -> tuple[Catalogue, ...]:
        """What stands under a heading: Japanese for the staff, or easier words and English under Japanese."""
        others = {"ja": ("easy", "en"), "easy": ("ja", "en")}.get(self.manner.language, ("ja",))
        return tuple(catalogue(language) for language in others)

    @property
    def second(self) -> Catalogue:
        """What stands small beside a label: English beside Japanese, Japanese beside everything else."""
        return catalogue("en" if self.manner.language in JAPANESE else "ja")

    def __call__(self, key: str, **values: object) -> Markup:
        """One text, with readings over its kanji if they are wanted. Values are escaped unless they are Markup."""
        text = Markup(self._ruby(key))  # noqa: S704 # escaped by `_ruby`
        return text.format(**values) if values else text

    def plain(self, key: str, **values: object) -> str:
        """One text without readings."""
        return self.catalogue.plain(key, **values)

    def _ruby(self, key: str) -> str:
        reading = r'<ruby>\1<rt aria-hidden="true">\2</rt></ruby>' if self.manner.kana == "on" else r"\1"
        return READING.sub(reading, escape(self.catalogue.marked(key)))


def heading_of(view: View) -> str:
    """The key of a page's heading."""
    return f"view.{view.value}"


def more_of(view: View) -> str:
    """The key of the sentence under a page's heading; empty: there is none."""
    return f"more.{view.value}" if view in _WITH_MORE else ""


def cause_of(cause: EndCause) -> str:
    """The key of the reason for an end, in plain words."""
    return f"cause.{cause.value}"


def proof_lines(say: Saying, proof: WipeProof) -> list[Markup]:
    """What was checked at the end, one line each."""
    lines = [say(f"proof.{proof.logout}")]
    if proof.processes_gone_at:
        lines.append(say("proof.processes_gone", at=_clock(proof.processes_gone_at)))
    at = {} if proof.space == SPACE_NONE else {"at": _clock(proof.space_gone_at)}
    lines.append(say(f"proof.{proof.space}", **at))
    return [*lines, say("proof.training")] if proof.training else lines


def trouble_of(say: Saying, error: TerminalError | ProtocolError) -> str:
    """What to say to a person whose form was refused. Errors without words of their own: tell the staff."""
    key = next((key for kind, key in _SENTENCES.items() if isinstance(error, kind)), "")
    if key:
        return say.plain(key)
    return error.sentence if say.manner.language == "ja" else f"{say.plain('page.tell_staff')} ({error.sentence})"


def idle_warning(language: str, seconds: int) -> str:
    """The warning on the bar before an idle end."""
    return catalogue(language).plain("act.idle", seconds=seconds)


def _clock(moment: str | None) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S") if moment else ""
