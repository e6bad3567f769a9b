import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names import accounts, reading, reasons
from madoguchi.names.batch import GIVEN, judge_arrow
from madoguchi.names.engine import Texts, shipped_engine
from madoguchi.names.known_as import Asked, Rule, ruled
from madoguchi.names.match import match
from madoguchi.names.reasons import Verdict

# Everybody here is 架空.
ENGINE = shipped_engine()


def rule(kanji: str, kana: str, **given: str) -> tuple[Rule, Verdict]:
    columns = {name: Texts.of([text]) for name, text in given.items()}
    found = ruled(ENGINE, Asked(Texts.of([kanji]), Texts.of([kana]), **columns))
    return Rule(int(found.rules[0])), reasons.VERDICTS[found.verdicts[0]]


@pytest.mark.parametrize(
    "kana",
    [
        "ｶ)ｻﾄｳ ﾊﾅｺ",
        "ｻﾄｳ ﾊﾅｺ(ｶ",
        "ｻﾄｳﾊﾅｺ(ｶ)ﾄｳｷﾖｳｼﾃﾝ",
        "（ユ）サトウ　ハナコ",
        "サトウハナコ（カ）",
        "ﾕ)ｻﾄｳ ﾊﾅｺ",
        "ﾄﾞ)ｻﾄｳ",
        "ﾄｸﾋ)ｻﾄｳ",
        "ｻﾄｳ(ｶ(ｴｲ",
        "㈱ｻﾄｳ",
        "ｻﾄｳ㈲",
        "ｼﾕｳ)ﾊﾅﾃﾞﾗ",
        "ｼｬ)ｻﾄｳ",
    ],
)
def test_accounts_of_firms_are_undetermined_and_say_so(kana: str) -> None:
    assert rule("佐藤　花子", kana) == (Rule.FIRM, Verdict.UNDETERMINED)
    found = match("佐藤　花子", kana, furigana="サトウ　ハナコ", alias="佐藤　花子", former="佐藤")
    assert found.verdict is Verdict.UNDETERMINED
    assert "会社" in found.reason_ja
    assert "company" in found.reason_en


@pytest.mark.parametrize("kana", ["(ｻﾄｳ)ﾊﾅｺ", "ｻﾄｳ(ﾊﾅｺ)", "()", ")", "ｻﾄｳ)(ﾊﾅｺ"])
def test_brackets_without_an_abbreviation_are_no_firm(kana: str) -> None:
    assert rule("佐藤　花子", kana) == (Rule.NAME, Verdict.UNDETERMINED)


@pytest.mark.parametrize(
    "kana",
    [
        "ｻﾄｳ ﾊﾅｺ ｾｲﾈﾝｺｳｹﾝﾆﾝ ｽｽﾞｷ ｲﾁﾛｳ",
        "ﾏﾙﾔﾏﾁﾖｳﾅｲｶｲ ﾀﾞｲﾋﾖｳ ｻﾄｳ ﾊﾅｺ",
        "ﾔｷﾕｳｸﾗﾌﾞ ｻﾄｳ ﾊﾅｺ",
        "ﾏﾙﾏﾙｼﾖｳﾃﾝ ﾀﾞｲﾋﾖｳ ｻﾄｳ ﾊﾅｺ",
        "ｶﾌﾞｼｷｶﾞｲｼﾔ ｻﾄｳ ﾊﾅｺ",
    ],
)
@pytest.mark.parametrize("kanji", ["佐藤　花子", "鈴木　一郎"])
def test_accounts_of_groups_and_agents_are_never_self(kanji: str, kana: str) -> None:
    assert rule(kanji, kana) == (Rule.GROUP, Verdict.UNDETERMINED)
    assert match(kanji, kana, alias="佐藤　花子", furigana="サトウ ハナコ").verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    ("kana", "verdict"),
    [
        ("ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ﾊﾅｺ", Verdict.SELF),
        ("ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳﾊﾅｺ", Verdict.SELF),
        ("ｻﾄｳ ﾊﾅｺ ﾏﾙﾏﾙｼﾖｳﾃﾝ", Verdict.SELF),
        ("ｻﾄｳﾊﾅｺ ﾏﾙﾏﾙｼﾖｳﾃﾝ", Verdict.SELF),
        ("ﾏﾙ ﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ﾊﾅｺ", Verdict.SELF),
        ("ﾏﾙﾏﾙ ｼｮｳﾃﾝ　ｻﾄｳ　ﾊﾅｺ", Verdict.SELF),
        ("ﾋﾖｳｼﾂ ﾊﾅ ﾏﾙﾏﾙﾋﾞﾖｳｼﾂ ｻﾄｳ ﾊﾅｺ", Verdict.SELF),
        ("ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ｹﾝｼﾞ", Verdict.FAMILY),
        ("ﾏﾙﾏﾙｼﾖｳﾃﾝ ﾔﾏｸﾞﾁ ﾊﾅｺ", Verdict.OLDNAME),
        ("ﾏﾙﾏﾙｼﾖｳﾃﾝ ﾔﾏｸﾞﾁ ｹﾝｼﾞ", Verdict.OTHER),
    ],
)
def test_the_person_beside_a_trade_name_is_judged(kana: str, verdict: Verdict) -> None:
    assert rule("佐藤　花子", kana) == (Rule.TRADE, verdict)
    found = match("佐藤　花子", kana)
    assert found.reason_ja.startswith(reasons.TRADE[0])
    assert found.reading is None or "シヨウテン" not in "".join(found.reading)


def test_furigana_alias_and_former_name_are_compared_with_the_person_beside_a_trade_name() -> None:
    kana = "ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ｷﾗﾘ"
    assert match("佐藤　花子", kana, furigana="サトウ　キラリ").verdict is Verdict.SELF
    assert match("SMITH JANE", "ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ﾊﾅｺ", alias="佐藤　花子").verdict is Verdict.SELF
    assert match("鈴木　花子", "ﾏﾙﾏﾙｼﾖｳﾃﾝ ｻﾄｳ ﾊﾅｺ", former="佐藤").verdict is Verdict.OLDNAME


@pytest.mark.parametrize("kana", ["ﾏﾙﾏﾙ ｻﾄｳ ﾊﾅｺ", "ｻﾄｳ ﾊﾅｺ ﾏﾙﾏﾙ", "ｻﾄｳ ﾊﾅｺ ｻﾄｳ ｹﾝｼﾞ", "ｻﾄｳ ｹﾝｼﾞ ｻﾄｳ ﾊﾅｺ"])
def test_an_unknown_word_beside_the_name_is_left_to_a_person(kana: str) -> None:
    assert rule("佐藤　花子", kana) == (Rule.BESIDE, Verdict.UNDETERMINED)
    assert match("佐藤　花子", kana, alias="佐藤　花子").verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    ("kanji", "kana"),
    [("佐藤　昭二", "ｻﾄｳ ｼﾖｳｼﾞ"), ("佐藤　花子", "ｻﾄｳ ｼﾖｳｼﾞ"), ("森　聖佳", "ﾓﾘ ｾｲｶ"), ("佐藤　花子", "ｼﾖｳﾃﾝ ﾊﾅｺ")],
)
def test_a_name_that_ends_like_a_trade_is_a_name(kanji: str, kana: str) -> None:
    assert rule(kanji, kana)[0] is Rule.NAME


def test_words_of_trades_are_long_and_end_no_name_in_use() -> None:
    for table, sizes in (
        (accounts._TRADE_WORDS, accounts._TRADE_SIZES),
        (accounts._GROUP_WORDS, accounts._GROUP_SIZES),
    ):
        words = {bytes(word[:size]) for word, size in zip(table, sizes, strict=True)}
        assert min(map(len, words)) >= 3
        assert not words & {
            bytes(accounts._codes(name)) for name in ("シヨウジ", "イイン", "デンキ", "セイカ", "ハナコ")
        }


@pytest.mark.parametrize("alias", ["山田　太郎", "山田太郎", "ヤマダ　タロウ"])
def test_the_alias_is_tried_where_the_registry_name_is_not_self(alias: str) -> None:
    assert rule("JOHN SMITH", "ﾔﾏﾀﾞ ﾀﾛｳ", alias=alias) == (Rule.ALIAS, Verdict.SELF)
    found = match("JOHN SMITH", "ﾔﾏﾀﾞ ﾀﾛｳ", alias=alias)
    assert found.probabilities[Verdict.SELF] >= 0.95
    assert alias in found.reason_ja
    assert "通称" in found.reason_ja
    assert alias in found.reason_en


def test_an_alias_that_is_not_read_so_changes_nothing() -> None:
    plain = match("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ")
    assert match("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ", alias="山田　太郎") == plain
    assert match("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ", alias="???", former="\0") == plain
    assert match("佐藤　花子", "ｻﾄｳ ｹﾝｼﾞ", alias="", former="", furigana="") == plain


@pytest.mark.parametrize(
    ("kanji", "kana", "former"),
    [
        ("佐藤　花子", "ｽｽﾞｷ ﾊﾅｺ", "鈴木"),
        ("佐藤花子", "ｽｽﾞｷﾊﾅｺ", "鈴木"),
        ("佐藤花子", "ｽｽﾞｷﾊﾅｺ", "鈴木　花子"),
        ("佐藤　花子", "ｽｽﾞｷ ﾊﾅｺ", "鈴木花子"),
        ("佐々木　翔", "ｽｽﾞｷ ｼﾖｳ", "鈴木"),
        ("渡邉\U000e0101健太", "ｽｽﾞｷ ｹﾝﾀ", "鈴木"),
    ],
)
def test_a_former_name_is_told_from_somebody_else(kanji: str, kana: str, former: str) -> None:
    assert rule(kanji, kana, former=former) == (Rule.FORMER, Verdict.OLDNAME)
    found = match(kanji, kana, former=former)
    assert found.probabilities[Verdict.OLDNAME] >= 0.95
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert former in found.reason_ja
    assert "registered former name" in found.reason_en


def test_a_former_surname_with_another_given_name_is_not_enough() -> None:
    assert rule("佐藤　花子", "ｽｽﾞｷ ｹﾝｼﾞ", former="鈴木")[1] is not Verdict.OLDNAME
    assert rule("佐藤　花子", "ｽｽﾞｷ ｹﾝｼﾞ", former="鈴木")[0] is Rule.NAME


def test_the_order_of_the_rules() -> None:
    name, kana = "佐藤　花子", "ｽｽﾞｷ ﾊﾅｺ"
    assert rule(name, kana, furigana="スズキ ハナコ", alias="鈴木　花子", former="鈴木") == (
        Rule.FURIGANA,
        Verdict.SELF,
    )
    assert rule(name, kana, furigana="サトウ ハナコ", alias="鈴木　花子", former="鈴木") == (Rule.ALIAS, Verdict.SELF)
    assert rule(name, kana, furigana="サトウ ハナコ", former="鈴木") == (Rule.FORMER, Verdict.OLDNAME)
    assert rule(name, kana, furigana="サトウ ハナコ") == (Rule.FURIGANA, Verdict.OLDNAME)
    assert rule(name, kana) == (Rule.NAME, Verdict.OLDNAME)
    assert rule(name, "ｻﾄｳ ﾊﾅｺ", alias="鈴木　花子", former="佐東") == (Rule.NAME, Verdict.SELF)


def test_every_rule_verdict_and_status_has_one_brief_reason_that_fits_every_encoding() -> None:
    statuses = {value for name, value in vars(reading).items() if name.isupper() and not name.startswith("_")}
    assert {code for _, _, code in reasons.BRIEF} == statuses
    for text in reasons.BRIEF.values():
        assert text.encode("cp932").decode("cp932") == text
        assert text.endswith("。")
        assert not set(text) & set(',"\r\n')


WORDS = "佐藤 鈴木 花子 一郎 々 サトウ ｽｽﾞｷ ﾊﾅｺ ｲﾁﾛｳ ﾏﾙｼﾖｳﾃﾝ ﾀﾞｲﾋﾖｳ ｶ) (ｶ ー ﾞ SMITH \0"
TEXTS = st.lists(st.sampled_from([*WORDS.split(), " ", "\u3000"]), max_size=6).map("".join)
NAMES = st.lists(st.sampled_from(["佐藤", "鈴木", "花子", "一郎", "\u3000"]), max_size=4).map("".join)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=8)


@given(ROWS)
@settings(max_examples=200)
def test_columns_and_single_pairs_take_the_same_rules(rows: list[tuple[str, str, str, str, str]]) -> None:
    kanji, kana, *given_ = (pa.array(column) for column in zip(*rows, strict=True))
    found = judge_arrow(kanji, kana, **dict(zip(GIVEN, given_, strict=True)))
    for place, row in enumerate(rows):
        alone = match(row[0], row[1], furigana=row[2], alias=row[3], former=row[4])
        assert found["verdict"][place].as_py() == alone.verdict
        chances = tuple(found[name][place].as_py() for name in ("p_self", "p_family", "p_oldname", "p_other"))
        assert chances == tuple(alone.probabilities.values())
        assert found["reason"][place].as_py()


@given(NAMES, TEXTS)
@settings(max_examples=200)
def test_what_stands_beside_a_name_never_makes_it_self(kanji: str, kana: str) -> None:
    for beside in ("ﾀﾞｲﾋﾖｳ", "ｺｳｹﾝﾆﾝ", "ﾏﾙﾏﾙﾁﾖｳﾅｲｶｲ"):
        assert match(kanji, f"{kana} {beside}").verdict is not Verdict.SELF
        assert match(kanji, f"{beside} {kana}", alias=kanji, former=kanji, furigana=kana).verdict is not Verdict.SELF
