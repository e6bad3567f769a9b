"""What was found: collected, counted, and said in words or as JSON. Holds a few of each kind, counts the rest."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from madoguchi.evidence.remarks import NOTES
from madoguchi.evidence.words import FINDINGS, HOLDS, HOLDS_OF_A_PART, SKIPPED, Words

HOLDING, FAILING, UNREADABLE = 0, 1, 2
"""Exit codes: all holds; something does not; the bundle cannot be read."""

_SHOWN = 10
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """A finding or a note, with its place: `position` in the log, `visit`, both where they are known."""

    code: str
    position: int | None
    visit: str | None
    fields: dict[str, str]

    @property
    def words(self) -> Words:
        """The sentences, not filled in."""
        return FINDINGS.get(self.code) or NOTES[self.code]

    @property
    def ja(self) -> str:
        """In Japanese, with the place in front."""
        return self._place("位置 ", "来庁 ") + self.words.ja.format(**self.fields)

    @property
    def en(self) -> str:
        """In English, with the place in front."""
        return self._place("position ", "visit ") + self.words.en.format(**self.fields)

    def _place(self, position: str, visit: str) -> str:
        parts = [] if self.position is None else [f"{position}{self.position}"]
        parts += [] if self.visit is None else [f"{visit}{plain(self.visit)}"]
        return ", ".join(parts) + ": " if parts else ""


@dataclass(slots=True)
class Verdict:
    """Collects. `part`: the bundle is a part of the log.

    A check that was neither begun nor left out on purpose does not hold: what is undone is not proven.
    """

    findings: list[Said] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    part: bool = False

    def found(self, code: str, position: int | None = None, visit: str | None = None, **fields: object) -> None:
        """Something that does not hold. `code`: of `words.FINDINGS`."""
        self._keep(self.findings, code, position, visit, fields)

    def note(self, code: str, position: int | None = None, visit: str | None = None, **fields: object) -> None:
        """Something that a reader should know. `code`: of `remarks.NOTES`."""
        self._keep(self.notes, code, position, visit, fields)

    def _keep(
        self, into: list[Said], code: str, position: int | None, visit: str | None, fields: dict[str, object]
    ) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= _SHOWN:
            into.append(Said(code, position, visit, {name: plain(value) for name, value in fields.items()}))

    def of(self, check: str) -> list[Said]:
        """The findings against a check."""
        return [said for said in self.findings if said.words.check == check]

    def state(self, check: str) -> str:
        """`holds`, `fails`, `skipped` (on purpose) or `undone`."""
        if self.of(check):
            return "fails"
        if check in self.skipped:
            return "skipped"
        return "holds" if check in self.done else "undone"

    @property
    def exit(self) -> int:
        """The exit code."""
        return HOLDING if all(self.state(check) in ("holds", "skipped") for check in HOLDS) else FAILING


def lines(verdict: Verdict) -> Iterator[str]:
    """The verdict in words."""
    said = HOLDS | HOLDS_OF_A_PART if verdict.part else HOLDS
    for check, (ja, en) in said.items():
        state = verdict.state(check)
        if state == "holds":
            yield f"○ {check}: {ja}\n    {en}"
        elif state == "fails":
            yield f"× {check}"
        else:
            yield f"{'－' if state == 'skipped' else '×'} {check}: {SKIPPED[0]} {SKIPPED[1]}"
        yield from _listed("    × ", verdict.of(check), verdict.counts)
    yield from _listed("  ! ", verdict.notes, verdict.counts)
    yield _LAST[verdict.exit]


_LAST = {
    HOLDING: "結果: 確かめたことは、すべて正しいです。\n    Result: everything that was checked holds.",
    FAILING: "結果: 正しくないところがあります。市の担当者と監査担当に知らせてください。\n"
    "    Result: something does not hold.",
}


def _listed(mark: str, said: list[Said], counts: dict[str, int]) -> Iterator[str]:
    for at, each in enumerate(said):
        yield f"{mark}{each.ja}\n{' ' * len(mark)}{each.en}"
        more = counts[each.code] - _SHOWN
        if more > 0 and all(later.code != each.code for later in said[at + 1 :]):
            yield f"{mark}(ほか {more} 件 · {more} more)"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict for programs."""
    return {
        "holds": verdict.exit == HOLDING,
        "checks": [
            {"name": check, "state": verdict.state(check), "findings": [_json(said) for said in verdict.of(check)]}
            for check in HOLDS
        ],
        "notes": [_json(said) for said in verdict.notes],
        "counts": dict(verdict.counts),
    }


def _json(said: Said) -> dict[str, Any]:
    return {"code": said.code, "position": said.position, "visit": said.visit, "ja": said.ja, "en": said.en}


def plain(value: object) -> str:
    """A text that comes from a bundle, safe to print: no control characters, not endless."""
    text = str(value) if not isinstance(value, int) or abs(value) < 10**30 else "…"
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(c if c.isprintable() else "?" for c in text)
