import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names.match import match
from madoguchi.names.reasons import Verdict

# Everybody here is 架空.
SELVES = [
    ("佐藤　花子", "ｻﾄｳ ﾊﾅｺ"),
    ("佐藤花子", "ｻﾄｳﾊﾅｺ"),
    ("鈴木　一郎", "ｽｽﾞｷ ｲﾁﾛｳ"),
    ("髙橋　美咲", "ﾀｶﾊｼ ﾐｻｷ"),
    ("渡邉　健太", "ﾜﾀﾅﾍﾞ ｹﾝﾀ"),
    ("佐々木　翔", "ｻｻｷ ｼﾖｳ"),
    ("大野　裕子", "ｵ-ﾉ ﾕ-ｺ"),
    ("大野裕子", "ｵｵﾉﾕｳｺ"),
    ("小野　修", "ｵﾉ ｵｻﾑ"),
    ("小野修", "ｵﾉｵｻﾑ"),
    ("長谷川　さくら", "ﾊｾｶﾞﾜ ｻｸﾗ"),
    ("五十嵐　マリ", "ｲｶﾞﾗｼ ﾏﾘ"),
    ("林　静香", "ﾊﾔｼ ｼﾂﾞｶ"),
]
FAMILIES = [("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ"), ("鈴木一郎", "ｽｽﾞｷﾖｼｺ"), ("渡邉　健太", "ﾜﾀﾅﾍﾞ ﾐﾕｷ")]
OLD_NAMES = [("佐藤　花子", "ﾔﾏｸﾞﾁ ﾊﾅｺ"), ("髙橋　美咲", "ﾅｶﾑﾗ ﾐｻｷ")]
OTHERS = [("佐藤　花子", "ﾔﾏｸﾞﾁ ｹﾝｼﾞ"), ("鈴木一郎", "ﾏﾂｵﾖｼｺ")]


@pytest.mark.parametrize(
    ("kanji", "kana", "verdict"),
    [
        (*pair, verdict)
        for verdict, pairs in {
            Verdict.SELF: SELVES,
            Verdict.FAMILY: FAMILIES,
            Verdict.OLDNAME: OLD_NAMES,
            Verdict.OTHER: OTHERS,
        }.items()
        for pair in pairs
    ],
)
def test_verdicts(kanji: str, kana: str, verdict: Verdict) -> None:
    found = match(kanji, kana)
    assert found.verdict is verdict
    assert max(found.probabilities, key=lambda kind: found.probabilities[kind]) is verdict


def test_the_split_and_the_reading_are_told() -> None:
    found = match("髙橋美咲", "ﾀｶﾊｼﾐｻｷ")
    assert found.split == ("髙橋", "美咲")
    assert found.reading == ("タカハシ", "ミサキ")
    assert "タカハシ" in found.reason_ja
    assert "ミサキ" in found.reason_en


def test_the_split_keeps_repetition_marks_and_selectors() -> None:
    assert match("佐々木翔", "ｻｻｷｼﾖｳ").split == ("佐々木", "翔")
    assert match("渡邉\U000e0101健太", "ﾜﾀﾅﾍﾞｹﾝﾀ").split == ("渡邉\U000e0101", "健太")


@pytest.mark.parametrize(
    ("kanji", "kana"),
    [
        ("", "ｻﾄｳ"),
        ("佐藤花子", ""),
        ("佐藤\0花子", "ｻﾄｳ ﾊﾅｺ"),
        ("佐藤花子", "ABC"),
        ("佐藤花子", "ｻﾄｳ(ｶ"),
        ("12345", "ｻﾄｳ"),
        ("😀😀", "ｻﾄｳ ﾊﾅｺ"),
        ("ä½è—¤", "ｻﾄｳ ﾊﾅｺ"),
        ("\ud800", "\udfff"),
        ("\U00030000田　花子", "ｻﾄｳ ﾊﾅｺ"),
        ("花" * 1_000_000, "ｱ" * 1_000_000),
        ("花", "ﾊﾅ"),
        ("花子", "ｱ"),
    ],
)
def test_what_is_no_name_is_undetermined_with_the_reason(kanji: str, kana: str) -> None:
    found = match(kanji, kana)
    assert found.verdict is Verdict.UNDETERMINED
    assert found.reason_ja
    assert found.reason_en
    assert found.split is found.reading is None
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_furigana_is_compared_before_the_kanji() -> None:
    rare = "ｻﾄｳ ｷﾗﾘ"
    assert match("佐藤　花子", rare).verdict is not Verdict.SELF
    assert match("佐藤　花子", rare, furigana="サトウ　キラリ").verdict is Verdict.SELF
    assert match("佐藤　花子", "ｻﾄｳｷﾗﾘ", furigana="サトウ　キラリ").verdict is Verdict.SELF


@pytest.mark.parametrize(
    ("furigana", "verdict"),
    [
        ("サトウ　キラリ", Verdict.FAMILY),
        ("ヤマグチ　ハナコ", Verdict.OLDNAME),
        ("ヤマグチ　キラリ", Verdict.OTHER),
        ("サトウ　ハナゴ", Verdict.UNDETERMINED),
        ("サトウキラリ", Verdict.UNDETERMINED),
    ],
)
def test_a_readable_name_is_not_self_against_the_furigana(furigana: str, verdict: Verdict) -> None:
    assert match("佐藤　花子", "ｻﾄｳ ﾊﾅｺ", furigana=furigana).verdict is verdict


def test_furigana_that_is_none_changes_nothing_but_never_makes_it_surer() -> None:
    assert match("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ", furigana="???").verdict is Verdict.FAMILY
    assert match("佐藤　花子", "ｻﾄｳ ﾊﾅｺ", furigana="???").verdict is Verdict.UNDETERMINED


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60), st.text(max_size=20) | st.none())
@settings(max_examples=300)
def test_any_strings_are_answered(kanji: str, kana: str, furigana: str | None) -> None:
    found = match(kanji, kana, furigana=furigana)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.reason_ja
    assert found.reason_en
