"""Kana to kana: an account-holder name against the official furigana."""

from madoguchi.names.folded import Folded, Folder
from madoguchi.names.reading import OK
from madoguchi.names.reasons import Verdict

SURE = 0.999
"""Chance given to what the official furigana says."""
_NEAR = 1


def compare(folder: Folder, furigana: str, kana: str) -> Verdict | None:
    """What the furigana says of the account; None where it cannot say (no kana, or halves not told apart)."""
    official, account = folder.kana(furigana), folder.kana(kana)
    if official.status != OK or account.status != OK:
        return None
    if _joined(folder, furigana) == _joined(folder, kana):
        return Verdict.SELF
    if official.split < 0 or account.split < 0:
        near = _apart(_joined(folder, furigana), _joined(folder, kana)) <= _NEAR
        return Verdict.UNDETERMINED if near else None
    return _by_halves(_halves(official), _halves(account))


def _joined(folder: Folder, text: str) -> tuple[int, ...]:
    return folder.kana("".join(text.split())).codes


def _halves(name: Folded) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return name.codes[: name.split], name.codes[name.split :]


def _by_halves(
    official: tuple[tuple[int, ...], tuple[int, ...]], account: tuple[tuple[int, ...], tuple[int, ...]]
) -> Verdict:
    gaps = [_apart(own, other) for own, other in zip(official, account, strict=True)]
    if sum(gaps) <= _NEAR:
        return Verdict.UNDETERMINED if sum(gaps) else Verdict.SELF
    if gaps[0] == 0:
        return Verdict.FAMILY
    return Verdict.OLDNAME if gaps[1] == 0 else Verdict.OTHER


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Edits (insert, delete, change) from one row of codes to the other."""
    row = list(range(len(other) + 1))
    for place, code in enumerate(one, start=1):
        before, row[0] = row[0], place
        for column, candidate in enumerate(other, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, before + (code != candidate))
            before, row[column] = row[column], best
    return row[-1]
