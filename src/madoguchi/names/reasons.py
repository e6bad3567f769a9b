"""What a clerk reads: verdicts and reasons, in Japanese and English."""

from collections.abc import Sequence
from enum import StrEnum

from madoguchi.names import reading as status
from madoguchi.names.known_as import Rule


class Verdict(StrEnum):
    """Whose account it can be, in the kernel's order."""

    SELF = "SELF"
    FAMILY = "FAMILY"
    OLDNAME = "OLDNAME"
    OTHER = "OTHER"
    UNDETERMINED = "UNDETERMINED"


VERDICTS = tuple(Verdict)
_SHOWN = 60
LABELS_JA = {
    Verdict.SELF: "本人",
    Verdict.FAMILY: "家族（姓が同じ別の人）",
    Verdict.OLDNAME: "旧姓など（名が同じで姓が違う）",
    Verdict.OTHER: "別の人",
    Verdict.UNDETERMINED: "判定できない",
}
FOUND = {
    Verdict.SELF: (
        "姓「{0}」を「{2}」、名「{1}」を「{3}」と読めます。",
        "The surname {0} can be read {2} and the given name {1} can be read {3}.",
    ),
    Verdict.FAMILY: (
        "姓「{0}」は「{2}」と読めますが、名「{1}」は「{3}」と読みません。姓が同じ別の人の口座かもしれません。",
        "The surname {0} can be read {2}, but the given name {1} is not read {3}: perhaps a family member's account.",
    ),
    Verdict.OLDNAME: (
        "名「{1}」は「{3}」と読めますが、姓「{0}」は「{2}」と読みません。旧姓の口座か、名が同じ別の人の口座です。",
        "The given name {1} can be read {3}, but the surname {0} is not read {2}: a former name, or somebody else.",
    ),
    Verdict.OTHER: (
        "姓も名も、口座名義「{2}{3}」のようには読みません。別の人の口座です。",
        "Neither surname nor given name is read like the account's {2} {3}: somebody else's account.",
    ),
    Verdict.UNDETERMINED: (
        "口座名義「{2}{3}」のように読めるかどうか、はっきりしません。人が確認してください。",
        "It is not clear whether the name can be read like the account's {2} {3}. A person has to look.",
    ),
}
NOT_JUDGED = {
    status.EMPTY_KANJI: ("氏名が空です。", "The registry name is empty."),
    status.EMPTY_KANA: ("口座名義カナが空です。", "The account-holder name is empty."),
    status.NOT_KANA: (
        "口座名義に、カナでない文字があります。",
        "The account-holder name has a character that is no kana.",
    ),
    status.NOT_KANJI: (
        "氏名に、名前に使わない文字があります。",
        "The registry name has a character that stands in no name.",
    ),
    status.LATIN: (
        "氏名に、ローマ字とほかの文字が混じっています。",
        "The registry name mixes Latin letters with other characters.",
    ),
    status.UNKNOWN: (
        "氏名に、読みを知らない漢字があります。",
        "The registry name has a kanji whose readings are not known.",
    ),
    status.TOO_LONG: ("氏名か口座名義が長すぎます。", "The registry name or the account-holder name is too long."),
    status.NOT_TEXT: ("文字として読めないデータです（文字化け）。", "The data cannot be read as text."),
    status.ONE_PART: ("姓と名に分けられません。", "The name cannot be cut into surname and given name."),
}
BY_FURIGANA = {
    Verdict.SELF: ("口座名義が公式のフリガナと同じです。", "The account-holder name is the official furigana."),
    Verdict.FAMILY: (
        "姓は公式のフリガナと同じですが、名が違います。",
        "The surname is the official furigana's, the given name is not.",
    ),
    Verdict.OLDNAME: (
        "名は公式のフリガナと同じですが、姓が違います。",
        "The given name is the official furigana's, the surname is not.",
    ),
    Verdict.OTHER: ("姓も名も公式のフリガナと違います。", "Neither surname nor given name is the official furigana's."),
    Verdict.UNDETERMINED: (
        "口座名義が公式のフリガナと少し違います。人が確認してください。",
        "The account-holder name differs a little from the official furigana. A person has to look.",
    ),
}
ALIAS = (
    "通称「{0}」を口座名義のように読めます。",
    "The alias {0} can be read like the account-holder name.",
)
"""The registry name is not read so, the alias is."""
FORMER = (
    "届け出のある旧氏・旧姓「{0}」を口座名義のように読めます。名義を変えていない本人の口座です。",
    "The registered former name {0} can be read like the account-holder name: the person's own, not yet renamed.",
)
"""The registry name is not read so, the former name is."""
TRADE = ("屋号などをのぞいて判定しました。", "Judged without the trade name.")
"""Said before what was found for the person's part."""
BY_RULE = {
    Rule.BESIDE: (
        "口座名義に、氏名のほかの言葉（屋号、団体名など）があります。人が確認してください。",
        "Something stands beside the name of the account holder (trade name, club). A person has to look.",
    ),
    Rule.FIRM: (
        "会社や法人などの口座です（法人の略語があります）。個人の口座ではありません。",
        "An account of a company or another legal entity (its abbreviation stands in the name), not a person's own.",
    ),
    Rule.GROUP: (
        "団体、または代表者・後見人などの名義の口座です。本人だけの口座とは言えません。",
        "An account of a group, or held by an agent or guardian: not simply the person's own.",
    ),
}
"""Rules that leave the verdict to a person."""
_BRIEF_FOUND = {
    Verdict.SELF: "氏名を口座名義のように読めます。",
    Verdict.FAMILY: "姓は口座名義のように読めますが、名は違います。",
    Verdict.OLDNAME: "名は口座名義のように読めますが、姓は違います。",
    Verdict.OTHER: "姓も名も口座名義と違います。",
    Verdict.UNDETERMINED: "口座名義のように読めるか、はっきりしません。",
}
_TRADE_LEFT_OUT = "屋号などをのぞくと、"


def _brief() -> dict[tuple[Rule, Verdict, int], str]:
    texts: dict[tuple[Rule, Verdict, int], str] = {}
    for verdict, text in _BRIEF_FOUND.items():
        texts[Rule.NAME, verdict, status.OK] = text
        texts[Rule.TRADE, verdict, status.OK] = _TRADE_LEFT_OUT + text
    for code, (text, _) in NOT_JUDGED.items():
        texts[Rule.NAME, Verdict.UNDETERMINED, code] = text
        texts[Rule.TRADE, Verdict.UNDETERMINED, code] = _TRADE_LEFT_OUT + text
    return texts | _brief_without_status()


def _brief_without_status() -> dict[tuple[Rule, Verdict, int], str]:
    """Rules whose sentence does not depend on whether the kernel could read the registry name."""
    texts = {(Rule.FURIGANA, verdict): text for verdict, (text, _) in BY_FURIGANA.items()}
    texts |= {(Rule.DOUBTED, Verdict.UNDETERMINED): BY_FURIGANA[Verdict.UNDETERMINED][0]}
    texts |= {(rule, Verdict.UNDETERMINED): text for rule, (text, _) in BY_RULE.items()}
    texts[Rule.ALIAS, Verdict.SELF] = "通称を口座名義のように読めます。"
    texts[Rule.FORMER, Verdict.OLDNAME] = "届け出のある旧氏・旧姓を口座名義のように読めます。"
    return {(*key, code): text for key, text in texts.items() for code in (status.OK, *NOT_JUDGED)}


BRIEF = _brief()
"""One short Japanese sentence for each rule, verdict and status a row can have."""

WHOLE = {
    Verdict.SELF: ("「{0}」を「{2}」と読めます。", "{0} can be read {2}."),
    Verdict.FAMILY: (
        "「{0}」の一部だけを「{2}」の中に読めます。姓が同じ別の人の口座かもしれません。",
        "Only part of {0} can be read in {2}: perhaps a family member's account.",
    ),
    Verdict.OLDNAME: (
        "「{0}」の終わりだけを「{2}」の中に読めます。旧姓の口座か、名が同じ別の人の口座です。",
        "Only the end of {0} can be read in {2}: a former name, or somebody else.",
    ),
    Verdict.OTHER: (
        "「{0}」は、口座名義「{2}」のようには読みません。別の人の口座です。",
        "{0} is not read {2}: somebody else's account.",
    ),
    Verdict.UNDETERMINED: (
        "「{0}」を「{2}」と読むかどうか、はっきりしません。人が確認してください。",
        "Whether {0} is read {2} is not clear. A person has to look.",
    ),
}
"""For a name of one word in Latin letters."""


def told(rule: Rule, verdict: Verdict, code: int, *, parts: Sequence[str], other: str | None) -> tuple[str, str]:
    """The long reason in Japanese and English.

    `parts` are surname, given name and the kana that fall to each (empty where status `code` is not OK), `other` the
    alias or former name a verdict is from.
    """
    if rule in (Rule.ALIAS, Rule.FORMER):
        return _filled(ALIAS if rule is Rule.ALIAS else FORMER, [_short(other or "")])
    if rule in (Rule.FURIGANA, Rule.DOUBTED):
        return BY_FURIGANA[verdict]
    if rule in BY_RULE:
        return BY_RULE[rule]
    whole = code == status.OK and not any(parts[1::2])
    found = NOT_JUDGED[code] if code != status.OK else _filled((WHOLE if whole else FOUND)[verdict], parts)
    if rule is not Rule.TRADE:
        return found
    return TRADE[0] + found[0], f"{TRADE[1]} {found[1]}"


def _filled(texts: tuple[str, str], parts: Sequence[str]) -> tuple[str, str]:
    return texts[0].format(*parts), texts[1].format(*parts)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
