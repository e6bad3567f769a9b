"""`match()`: whether an account can belong to a person."""

from collections.abc import Mapping
from dataclasses import dataclass

from madoguchi.names import fold, furigana, reasons
from madoguchi.names.engine import Engine, Texts, shipped_engine
from madoguchi.names.reading import OK
from madoguchi.names.reasons import VERDICTS, Verdict

_KINDS = VERDICTS[:4]
_MOST = 4096
"""Characters looked at for furigana; longer texts are too long for the kernel anyway."""


@dataclass(frozen=True)
class NameMatch:
    """What came of one pair.

    `probabilities` has the four kinds a verdict can name and sums to 1. `split` is the registry name cut into surname
    and given name, `reading` the kana that fall to each; None where the pair could not be judged.
    """

    verdict: Verdict
    probabilities: Mapping[Verdict, float]
    reason_ja: str
    reason_en: str
    split: tuple[str, str] | None
    reading: tuple[str, str] | None


def match(kanji: str, kana: str, *, furigana: str | None = None, engine: Engine | None = None) -> NameMatch:
    """Judge a registry name and an account-holder name in kana.

    Any string is allowed: what is no name is UNDETERMINED, with the reason. `furigana` is the official reading, where
    there is one; it is compared first. `engine` stands in for the shipped tables. Raises `TablesMissing`,
    `TablesDamaged`; nothing else.
    """
    used = engine or shipped_engine()
    found = _by_tables(used, kanji, kana)
    return found if furigana is None else _with_furigana(used, found, furigana, kana)


def _by_tables(engine: Engine, kanji: str, kana: str) -> NameMatch:
    judged = engine.judge(Texts.of([kanji]), Texts.of([kana]))
    status, verdict, i, j = judged.facts[0, :4].tolist()
    chances = dict(zip(_KINDS, judged.chances[0].tolist(), strict=True))
    if status != OK:
        return NameMatch(Verdict.UNDETERMINED, chances, *reasons.NOT_JUDGED[status], None, None)
    codes = engine.folder().kana(kana).codes
    split, reading = _cut(engine, kanji, i), (fold.kana_text(codes[:j]), fold.kana_text(codes[j:]))
    japanese, english = (text.format(*split, *reading) for text in reasons.FOUND[VERDICTS[verdict]])
    return NameMatch(VERDICTS[verdict], chances, japanese, english, split, reading)


def _cut(engine: Engine, kanji: str, size: int) -> tuple[str, str]:
    """The registry name as written, cut after `size` folded characters."""
    folder = engine.folder()
    for end in range(1, len(kanji)):
        if len(folder.kanji(kanji[: end + 1]).codes) > size:
            return kanji[:end].strip(), kanji[end:].strip()
    return kanji, ""


def _with_furigana(engine: Engine, found: NameMatch, official: str, kana: str) -> NameMatch:
    if max(len(official), len(kana)) > _MOST:
        return found
    said = furigana.compare(engine.folder(), official, kana)
    if said is None:
        return found if found.verdict is not Verdict.SELF else _doubted(found)
    if said is Verdict.UNDETERMINED:
        return _doubted(found)
    rest = (1 - furigana.SURE) / (len(_KINDS) - 1)
    chances = {kind: furigana.SURE if kind is said else rest for kind in _KINDS}
    return NameMatch(said, chances, *reasons.BY_FURIGANA[said], found.split, found.reading)


def _doubted(found: NameMatch) -> NameMatch:
    """Furigana and account are not the same, so nothing found by the tables is sure."""
    doubt = reasons.BY_FURIGANA[Verdict.UNDETERMINED]
    return NameMatch(Verdict.UNDETERMINED, found.probabilities, *doubt, found.split, found.reading)
