"""The rules of a verdict, in their order, over columns: one pair and millions take this same way.

1. The registry name against the account, by the kernel. Where that is not SELF: an account of a firm or a group is
   nobody's own; of a holder with a trade name the person's part is judged (see `accounts`).
2. The official furigana, where given: what it says of the account replaces the verdict; where it differs a little or
   cannot say, nothing found by the kernel is SELF any more.
3. Where it is not SELF: the alias (通称). SELF on the alias is SELF.
4. Where it is still not SELF: the former name (旧氏: a surname, or a whole name). SELF on the former name is OLDNAME.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from madoguchi.names import accounts, furigana
from madoguchi.names.decide import OLDNAME, SELF, UNDETERMINED
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.pick import chosen, cut_places, laid, picked

Rows = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
_KINDS = 4


class Rule(IntEnum):
    """Which rule a verdict is from."""

    NAME = 0
    FURIGANA = 1
    DOUBTED = 2
    ALIAS = 3
    FORMER = 4
    TRADE = 5
    BESIDE = 6
    FIRM = 7
    GROUP = 8


@dataclass(frozen=True)
class Asked:
    """Equally long columns; an empty text in one of the last three means: not given."""

    kanji: Texts
    kana: Texts
    furigana: Texts | None = None
    alias: Texts | None = None
    former: Texts | None = None


@dataclass(frozen=True)
class Ruled:
    """Per row: verdict (of `kernel`), `Rule`, status (of `reading`), the four chances, kanji and kana of the surname.

    `account` is the holder's kana, or the person's part of it.
    """

    verdicts: Bytes
    rules: Bytes
    status: Bytes
    chances: npt.NDArray[np.float64]
    cuts: Bytes
    account: Texts

    def take(self, rows: Rows, other: "Ruled", places: Rows) -> None:
        """Overwrite rows with those at `places` of another."""
        for own, theirs in ((self.verdicts, other.verdicts), (self.status, other.status), (self.cuts, other.cuts)):
            own[rows] = theirs[places]
        self.chances[rows] = other.chances[places]


def ruled(engine: Engine, asked: Asked) -> Ruled:
    """Judge row by row. Raises ValueError if the columns are not equally long."""
    given = (asked.furigana, asked.alias, asked.former)
    if any(len(column) != len(asked.kanji) for column in given if column is not None):
        raise ValueError("furigana, alias, former and kanji are not equally many")
    found = _judged(engine, asked.kanji, asked.kana)
    others = np.flatnonzero(found.verdicts != SELF)
    if len(others):
        found = _by_kind(engine, asked, found, others)
    if asked.furigana is not None:
        _by_furigana(engine, asked.furigana, found)
    if asked.alias is not None:
        _by_alias(engine, asked.alias, found)
    if asked.former is not None:
        _by_former(engine, asked.former, asked.kanji, found)
    return found


def _judged(engine: Engine, kanji: Texts, kana: Texts) -> Ruled:
    judged = engine.judge(kanji, kana)
    facts = judged.facts
    rules = np.zeros(len(kanji), dtype=np.uint8)
    return Ruled(facts[:, 1].copy(), rules, facts[:, 0].copy(), judged.chances, facts[:, 2:4].copy(), kana)


def _by_kind(engine: Engine, asked: Asked, found: Ruled, others: Rows) -> Ruled:
    """Firms, groups, and the person's part beside a trade name."""
    kinds, parts = accounts.kinds_of(engine, asked.kana, others)
    if (kinds == accounts.PERSON).all():
        return found
    for kind, rule in ((accounts.FIRM, Rule.FIRM), (accounts.GROUP, Rule.GROUP)):
        rows = others[kinds == kind]
        found.rules[rows], found.verdicts[rows] = rule, UNDETERMINED
    beside = np.flatnonzero(kinds == accounts.BESIDE)
    if len(beside):
        _beside(engine, asked, found, others[beside], parts[beside])
    trade = np.flatnonzero(kinds == accounts.TRADE)
    return _traded(engine, asked, found, others[trade], parts[trade]) if len(trade) else found


def _beside(engine: Engine, asked: Asked, found: Ruled, rows: Rows, parts: Rows) -> None:
    """UNDETERMINED where a part that can be the person's would be SELF."""
    for column in (0, 2):
        kana = picked(asked.kana, parts[:, column].copy(), parts[:, column + 1].copy())
        inner = _judged(engine, chosen(asked.kanji, rows), kana)
        own = np.flatnonzero(inner.verdicts == SELF)
        found.take(rows[own], inner, own)
        found.rules[rows[own]], found.verdicts[rows[own]] = Rule.BESIDE, UNDETERMINED


def _traded(engine: Engine, asked: Asked, found: Ruled, rows: Rows, parts: Rows) -> Ruled:
    """Judge the person's part, and keep it as the account for the rules that follow."""
    begins, ends = asked.kana.at[:-1].copy(), asked.kana.at[1:].copy()
    begins[rows], ends[rows] = parts[:, 0], parts[:, 1]
    account = picked(asked.kana, begins, ends)
    found.take(rows, _judged(engine, chosen(asked.kanji, rows), chosen(account, rows)), np.arange(len(rows)))
    found.rules[rows] = Rule.TRADE
    return replace(found, account=account)


def _open(found: Ruled, given: Texts) -> Rows:
    """Rows that are not SELF yet, may become it, and have the text asked for."""
    fixed = (found.rules == Rule.FIRM) | (found.rules == Rule.GROUP) | (found.rules == Rule.BESIDE)
    return np.flatnonzero((found.verdicts != SELF) & ~fixed & (np.diff(given.at) > 0))


def _by_furigana(engine: Engine, official: Texts, found: Ruled) -> None:
    said = furigana.compare(engine, official, found.account)
    fixed = (found.rules == Rule.FIRM) | (found.rules == Rule.GROUP)
    sure = np.flatnonzero((said < UNDETERMINED) & ~fixed)
    found.verdicts[sure], found.rules[sure] = said[sure], Rule.FURIGANA
    found.chances[sure] = (1 - furigana.SURE) / (_KINDS - 1)
    found.chances[sure, said[sure]] = furigana.SURE
    own = (said == furigana.SILENT) & (found.verdicts == SELF)
    doubted = np.flatnonzero(((said == UNDETERMINED) | own) & ~fixed)
    found.verdicts[doubted], found.rules[doubted] = UNDETERMINED, Rule.DOUBTED


def _by_alias(engine: Engine, alias: Texts, found: Ruled) -> None:
    rows = _open(found, alias)
    if not len(rows):
        return
    inner = _judged(engine, chosen(alias, rows), chosen(found.account, rows))
    own = np.flatnonzero(inner.verdicts == SELF)
    found.take(rows[own], inner, own)
    found.rules[rows[own]] = Rule.ALIAS


def _by_former(engine: Engine, former: Texts, kanji: Texts, found: Ruled) -> None:
    """The former name as it stands, and as a surname before the given name of the registry name."""
    rows = _open(found, former)
    if not len(rows):
        return
    old, account, names = chosen(former, rows), chosen(found.account, rows), chosen(kanji, rows)
    tails = cut_places(engine, names, found.cuts[rows, 0])
    for name in (old, laid(old, names, tails)):
        inner = _judged(engine, name, account)
        own = np.flatnonzero(inner.verdicts == SELF)
        found.take(rows[own], inner, own)
        found.chances[rows[own]] = inner.chances[own][:, [OLDNAME, 1, SELF, 3]]
        found.rules[rows[own]], found.verdicts[rows[own]] = Rule.FORMER, OLDNAME
