"""What a clerk reads: verdicts and reasons, in Japanese and English."""

from enum import StrEnum

from madoguchi.names import reading as status


class Verdict(StrEnum):
    """Whose account it can be, in the kernel's order."""

    SELF = "SELF"
    FAMILY = "FAMILY"
    OLDNAME = "OLDNAME"
    OTHER = "OTHER"
    UNDETERMINED = "UNDETERMINED"


VERDICTS = tuple(Verdict)
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
        "ローマ字の氏名は、まだ判定できません。",
        "Names in Latin letters cannot be judged yet.",
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
