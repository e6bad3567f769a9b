"""Names in Latin letters, with tables learnt here from the rules that come with the product. Everybody is 架空."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names import tables
from madoguchi.names.decide import FAMILY, OTHER, SELF
from madoguchi.names.engine import Engine, Judged, Texts, shipped_engine
from madoguchi.names.latin.kernel import EXCHANGED, GROUPS
from madoguchi.names.match import NameMatch, match
from madoguchi.names.reading import LATIN, NOT_KANJI, NOT_TEXT, OK, ONE_PART, TOO_LONG
from madoguchi.names.reasons import Verdict

from .latin_people import PEOPLE, families, people

PIECES = [
    "NGUYEN",
    "THI",
    "Kim",
    "min-jun",
    "O'",
    "Ế",
    "ß",
    "Ａ",
    " ",
    "　",
    "-",
    "，",
    "\u0302",
    "1",
    "王",
    "Ж",
    "X" * 9,
    "É",
]
KANA = ["ｸﾞｴﾝ", "ﾃｲ", "ｷﾑ", "ミン", "ジュ", " ", "　", "-", "ﾞ", "ﾟ", "・", "A", "ｳ", "オオ"]
LATINLIKE = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
KANALIKE = st.lists(st.sampled_from(KANA), max_size=12).map("".join)
PAIRS = st.lists(st.tuples(LATINLIKE, KANALIKE), min_size=1, max_size=8)
NOISES: dict[str, Callable[[str], str]] = {
    "as written": str,
    "no space": lambda kana: kana.replace(" ", ""),
    "exchanged": lambda kana: " ".join(kana.split(" ")[1:] + kana.split(" ")[:1]),
}


def judge(pairs: list[tuple[str, str]]) -> Judged:
    return shipped_engine().judge(Texts.of([latin for latin, _ in pairs]), Texts.of([kana for _, kana in pairs]))


def found(latin: str, kana: str) -> NameMatch:
    return match(latin, kana, engine=shipped_engine())


def status(latin: str, kana: str = "ｸﾞｴﾝ ｱﾝ") -> int:
    return int(judge([(latin, kana)]).facts[0, 0])


@pytest.mark.parametrize(
    ("latin", "kana"),
    [
        ("NGUYEN VAN AN", "ｸﾞｴﾝ ﾊﾞﾝ ｱﾝ"),
        ("Nguyễn Văn An", "ｸﾞｴﾝ ﾊﾞﾝ ｱﾝ"),
        ("ＮＧＵＹＥＮ　ＶＡＮ　ＡＮ", "グエンバンアン"),
        ("NGUYEN VAN AN", "ｱﾝ ｸﾞｴﾝ"),
        ("NGUYEN THI PHUONG THAO", "ｸﾞｴﾝ ﾃｲ ﾌｵﾝ ﾀｵ"),
        ("WANG XIAOMING", "ﾜﾝ ｼﾔｵﾐﾝ"),
        ("WANG XIAOMING", "ｼﾔｵﾐﾝ ﾜﾝ"),
        ("WANGXIAOMING", "ﾜﾝ ｼﾔｵﾐﾝ"),
        ("KIM MIN-JUN", "ｷﾑ ﾐﾝｼﾞﾕﾝ"),
        ("KIM MINJUN", "ｷﾑﾐﾝｼﾞﾕﾝ"),
        ("SHRESTHA SUNITA", "ｼﾕﾚｽﾀ ｽﾆﾀ"),
        ("DELA CRUZ, MARIA", "ﾃﾞﾗｸﾙｽ ﾏﾘｱ"),
        ("SILVA JOÃO PAULO", "ｼﾙﾊﾞ ｼﾞﾖｱﾝ ﾊﾟｳﾛ"),
        ("SILVA JOAO PAULO", "ｼﾙﾊﾞ ｼﾞﾖｱﾝ"),
        ("BUDI", "ﾌﾞﾃﾞｲ"),
    ],
)
def test_own_accounts(latin: str, kana: str) -> None:
    assert found(latin, kana).verdict is Verdict.SELF


@pytest.mark.parametrize(
    ("latin", "kana", "verdict"),
    [
        ("NGUYEN VAN HUNG", "ｸﾞｴﾝ ﾃｲ ﾌｵﾝ", Verdict.FAMILY),
        ("SHRESTHA SUNITA", "ｼﾕﾚｽﾀ ﾌﾟﾗｶｼﾕ", Verdict.FAMILY),
        ("SHRESTHA SUNITA", "ｼﾕﾚｽﾀ ﾊﾅｺ", Verdict.FAMILY),
        ("SHRESTHA SUNITA", "ﾊﾅｺ ｼﾕﾚｽﾀ", Verdict.FAMILY),
        ("SHRESTHA SUNITA", "ﾊﾞﾝﾀﾞﾘ ｽﾆﾀ", Verdict.OLDNAME),
        ("SHRESTHA SUNITA", "ｼﾙﾊﾞ ﾌｴﾙﾅﾝﾀﾞ", Verdict.OTHER),
        ("BUDI", "ｽｽﾞｷ ﾊﾅｺ", Verdict.OTHER),
    ],
)
def test_accounts_of_others(latin: str, kana: str, verdict: Verdict) -> None:
    assert found(latin, kana).verdict is verdict


def test_the_parts_are_told_in_whatever_order_the_account_has_them() -> None:
    for kana in ("ｼﾕﾚｽﾀ ｽﾆﾀ", "ｽﾆﾀ ｼﾕﾚｽﾀ", "ｼﾕﾚｽﾀｽﾆﾀ"):
        told = found("Shrestha Sunita", kana)
        assert told.split == ("Shrestha", "Sunita")
        assert told.reading == ("シユレスタ", "スニタ")
        assert "Sunita" in told.reason_ja


def test_the_reason_for_a_name_of_one_word_has_no_empty_part() -> None:
    for kana in ("ﾌﾞﾃﾞｲ", "ｽｽﾞｷ ﾊﾅｺ"):
        told = found("BUDI", kana)
        assert "BUDI" in told.reason_en
        assert "「」" not in told.reason_ja


def test_a_holder_name_of_thirty_half_width_characters_may_go_on() -> None:
    latin = "VILLANUEVA MARICEL CRISTINA FERNANDEZ"
    whole = "ﾋﾞﾘﾔﾇｴﾊﾞ ﾏﾘｾﾙ ｸﾘｽﾃｲ-ﾅ ﾌｴﾙﾅﾝﾃﾞｽ"
    chances = [float(np.log(judge([(latin, whole[:size])]).likely[0]) @ (1, -1, 0, 0)) for size in (29, 30)]
    assert chances[1] > chances[0] + 1
    assert found(latin, whole[:30]).verdict is Verdict.SELF


def test_statuses() -> None:
    assert status("NGUYEN AN") == status("AN") == OK
    assert status("A") == status("A-") == ONE_PART
    assert status("NGUYEN 2") == NOT_KANJI
    assert status("NGUYEN Ж") == NOT_KANJI
    assert status("NGUYEN 王") == status("王 NGUYEN") == LATIN
    assert status("A" * 39 + " B") == OK
    assert status("A" * 40 + " B") == TOO_LONG
    assert status("A B C D E F G H") == OK
    assert status("A B C D E F G H I") == TOO_LONG
    data = Texts.over(b"AB\xff", np.array([0, 3]))
    assert shipped_engine().judge(data, Texts.of(["ｱ ｲ"])).facts[0, 0] == NOT_TEXT


def test_without_tables_for_latin_letters_nothing_is_judged() -> None:
    bare = replace(tables.shipped(), **{name: np.zeros_like(array, shape=(0,) * array.ndim)
                                        for name, array in tables.shipped().arrays().items()
                                        if name.startswith("latin_")})  # fmt: skip
    told = match("NGUYEN VAN AN", "ｸﾞｴﾝ ﾊﾞﾝ ｱﾝ", engine=Engine(bare))
    assert told.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("group", PEOPLE)
@pytest.mark.parametrize("noise", NOISES)
def test_people_are_told_from_their_families(group: str, noise: str) -> None:
    """Few true pairs lie below the ninety-ninth percentile of families; no name was seen whole."""
    own = judge([(latin, NOISES[noise](kana)) for latin, kana in people(group)])
    theirs = judge([(latin, NOISES[noise](kana)) for latin, kana in families(group)])
    assert (own.facts[:, 0] == OK).all()
    gaps = [judged.likely[:, SELF] - judged.likely[:, FAMILY] for judged in (own, theirs)]
    assert np.mean(gaps[0] <= np.quantile(gaps[1], 0.99)) <= 0.2
    assert np.mean(own.likely[:, SELF] - own.likely[:, OTHER] > 0) >= 0.8


@given(PAIRS)
def test_a_pair_is_judged_the_same_alone_and_in_any_batch(pairs: list[tuple[str, str]]) -> None:
    whole = judge(pairs)
    for row, pair in enumerate(pairs):
        alone = judge([pair])
        for name in ("likely", "chances", "facts"):
            assert getattr(whole, name)[row].tobytes() == getattr(alone, name)[0].tobytes()
    assert np.isfinite(whole.likely).all()
    assert ((whole.chances > 0) & (whole.chances < 1)).all()
    assert (whole.facts[:, 3] % EXCHANGED <= 48).all()
    assert (whole.facts[:, 4] < GROUPS).all()


@given(st.lists(st.binary(max_size=60).map(lambda tail: b"A" + tail), min_size=1, max_size=6), st.binary(max_size=30))
@settings(max_examples=200)
def test_bytes_around_the_texts_are_not_read(parts: list[bytes], around: bytes) -> None:
    sizes = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    kana = Texts.of(["ｸﾞｴﾝ ﾊﾞﾝ ｱﾝ"] * len(parts))
    bare = shipped_engine().judge(Texts.over(b"".join(parts), sizes), kana)
    within = shipped_engine().judge(Texts.over(around + b"".join(parts) + around, sizes + len(around)), kana)
    assert bare.likely.tobytes() == within.likely.tobytes()
    assert bare.facts.tobytes() == within.facts.tobytes()


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=120), st.text(max_size=80))
@settings(max_examples=200)
def test_any_strings_are_answered(latin: str, kana: str) -> None:
    for name in (latin, "A" + latin):
        told = found(name, kana)
        assert told.reason_ja
        assert sum(told.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 2, 38, 39, 40, 41, 100, 2000])
def test_sizes_around_the_bounds(size: int) -> None:
    for latin in ("A" * size, "QX" * size, "A " * size, "A" * size + " " + "B" * size, "ß" * size):
        for kana in ("ｱ" * size, "ｱ " * size, "ｱﾞ-" * size, "ｱ ｲ"):
            assert np.isfinite(judge([(latin, kana)]).likely).all()
