"""`match()`: whether an account can belong to a person."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madoguchi.names import fold, reasons
from madoguchi.names.engine import Engine, Texts, shipped_engine
from madoguchi.names.known_as import Asked, Rule, Ruled, ruled
from madoguchi.names.latin.kernel import EXCHANGED
from madoguchi.names.pick import cut_places
from madoguchi.names.reading import OK
from madoguchi.names.reasons import VERDICTS, Verdict

_KINDS = VERDICTS[:4]
_WITHOUT_PARTS = (Rule.ALIAS, Rule.FORMER, Rule.BESIDE, Rule.FIRM, Rule.GROUP)


@dataclass(frozen=True)
class NameMatch:
    """What came of one pair.

    `probabilities` has the four kinds a verdict can name and sums to 1. `split` is the registry name cut into surname
    and given name, `reading` the kana that fall to each; None where the pair could not be judged, or not by
    this name.
    """

    verdict: Verdict
    probabilities: Mapping[Verdict, float]
    reason_ja: str
    reason_en: str
    split: tuple[str, str] | None
    reading: tuple[str, str] | None


def match(
    kanji: str,
    kana: str,
    *,
    furigana: str | None = None,
    alias: str | None = None,
    former: str | None = None,
    engine: Engine | None = None,
) -> NameMatch:
    """Judge a registry name and an account-holder name in kana.

    Any string is allowed: what is no name is UNDETERMINED, with the reason. `furigana` is the official reading, `alias`
    a registered alias (通称), `former` a former surname or whole former name; None and an empty text: none.
    The rules and their order: see `known_as`. `engine` stands in for the shipped tables. Raises `TablesMissing`,
    `TablesDamaged`; nothing else.
    """
    used = engine or shipped_engine()
    given = (Texts.of([text]) if text else None for text in (furigana, alias, former))
    names = Texts.of([kanji])
    found = ruled(used, Asked(names, Texts.of([kana]), *given))
    rule, verdict = Rule(int(found.rules[0])), VERDICTS[found.verdicts[0]]
    chances = dict(zip(_KINDS, found.chances[0].tolist(), strict=True))
    split, reading = _parts(used, names, found, rule)
    other = {Rule.ALIAS: alias, Rule.FORMER: former}.get(rule)
    told = reasons.told(rule, verdict, int(found.status[0]), parts=(*(split or ()), *(reading or ())), other=other)
    return NameMatch(verdict, chances, *told, split, reading)


_Half = tuple[str, str] | None


def _parts(engine: Engine, kanji: Texts, found: Ruled, rule: Rule) -> tuple[_Half, _Half]:
    """The registry name and the account's kana, each cut in two."""
    if found.status[0] != OK or rule in _WITHOUT_PARTS:
        return None, None
    place, (exchanged, j) = (
        int(cut_places(engine, kanji, found.cuts[:, 0])[0]),
        divmod(int(found.cuts[0, 1]), EXCHANGED),
    )
    codes = engine.folder().kana(_text(found.account.data)).codes
    split = (_text(kanji.data[:place]).strip(), _text(kanji.data[place:]).strip())
    first, second = fold.kana_text(codes[:j]), fold.kana_text(codes[j:])
    return split, ((second, first) if exchanged else (first, second))


def _text(data: npt.NDArray[np.uint8]) -> str:
    return data.tobytes().decode("utf-8", "replace")
