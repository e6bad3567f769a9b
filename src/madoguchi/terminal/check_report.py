"""The whole check of a terminal: every line of the table looked at once, and told in words for the people there."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from madoguchi.terminal.check import Missing, check_bare, check_rights
from madoguchi.terminal.check_list import BOX_RIGHT, BROWSER, ITEMS, Item
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import box_config

_TRIAL = "NoUserNamespaces"
"""Looked at only when everything else of a box is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: stable code, whether it is right, whether visits are impossible while it is not, both languages.

    `detail` is what was found wrong: a value, a file, a name. Empty when right.
    """

    code: str
    ok: bool
    blocking: bool
    japanese: str
    english: str
    detail: str = ""

    def line(self) -> str:
        """The line as it is printed."""
        mark = "✓" if self.ok else "✗" if self.blocking else "△"
        detail = f" [{self.detail}]" if self.detail else ""
        return f"{mark} {self.japanese}{detail} ({self.english})"


def inspect(machine: Machine, items: Sequence[Item] = ITEMS, *, browser: bool = False) -> list[Finding]:
    """Look at everything; `browser`: start the browser, too. In training only what even that needs is blocking."""
    found = list(_box(machine))
    for item in (*items, BROWSER) if browser else items:
        wrong = {finding.code for finding in found if not finding.ok}
        if wrong.isdisjoint(item.only_if) and _looked_at(item, found):
            found.append(_finding(item, item.look(machine), training=machine.config.training))
    return found


def verdict(findings: Sequence[Finding], *, training: bool) -> str:
    """The last line: what all of them come to."""
    if not ready(findings):
        return "✗ この端末では対応できません。✗ の行を上から直してください。 (no visits: mend what is marked ✗)"
    if training:
        return "✓ 訓練用の端末として動きます。本物の対応には使えません。 (fit for training, not for real visits)"
    return "✓ この端末で対応できます。△ の行は、できれば直してください。 (fit for visits; △ can wait)"


def ready(findings: Sequence[Finding]) -> bool:
    """Whether nothing that keeps visits from being opened is wrong."""
    return all(finding.ok or not finding.blocking for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The same for machines."""
    return {"ready": ready(findings), "findings": [asdict(finding) for finding in findings]}


def _looked_at(item: Item, found: Sequence[Finding]) -> bool:
    """Whether everything that the item builds on was itself looked at."""
    return {finding.code for finding in found}.issuperset(item.only_if)


def _finding(item: Item, detail: str | None, *, training: bool) -> Finding:
    words = item.right if detail is None else item.wrong
    return Finding(item.code, detail is None, item.blocking and not training, *words, detail or "")


def _box(machine: Machine) -> Iterator[Finding]:
    config = machine.config
    settings = box_config(config)
    lacking = {missing.code: missing for missing in check_rights(settings)}
    needed = {missing.code for missing in check_bare(settings)} if config.training else set(lacking)
    untried = any(missing.blocking for missing in lacking.values())
    for code, words in BOX_RIGHT.items():
        if code not in lacking and not (code == _TRIAL and untried):
            yield Finding(code, ok=True, blocking=True, japanese=words.japanese, english=words.english)
    for missing in lacking.values():
        yield _told(missing, blocking=missing.blocking and missing.code in needed)


def _told(missing: Missing, *, blocking: bool) -> Finding:
    return Finding(missing.code, ok=False, blocking=blocking, japanese=missing.japanese, english=missing.english)
