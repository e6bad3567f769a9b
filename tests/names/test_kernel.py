from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names.batch import judge_arrow
from madoguchi.names.engine import Judged, Texts, shipped_engine
from madoguchi.names.match import match
from madoguchi.names.reasons import VERDICTS

ENGINE = shipped_engine()
NAMES = [
    "佐藤",
    "小野",
    "大野",
    "佐々木",
    "渡邉\U000e0101",
    "花子",
    "一郎",
    "修",
    "　",
    " ",
    "さくら",
    "ヶ",
    "髙",
    "美",
]
READINGS = ["ｻﾄｳ", "ｵﾉ", "ｵｵﾉ", "ｻｻｷ", "ﾜﾀﾅﾍﾞ", "ﾊﾅｺ", "ｲﾁﾛｳ", "ｵｻﾑ", " ", "ｻｸﾗ", "-", "ﾞ", "ﾀｶ", "ﾐ"]
NAMELIKE = st.lists(st.sampled_from(NAMES), min_size=0, max_size=6).map("".join)
KANALIKE = st.lists(st.sampled_from(READINGS), min_size=0, max_size=8).map("".join)
PAIRS = st.lists(st.tuples(NAMELIKE | st.text(max_size=30), KANALIKE | st.text(max_size=30)), min_size=1, max_size=12)
BYTES = st.lists(st.binary(max_size=90), min_size=1, max_size=8)


def judge(pairs: list[tuple[str, str]]) -> Judged:
    return ENGINE.judge(Texts.of([kanji for kanji, _ in pairs]), Texts.of([kana for _, kana in pairs]))


def laid(parts: list[bytes], before: bytes, after: bytes) -> Texts:
    at = np.cumsum([len(before), *map(len, parts)], dtype=np.int64)
    return Texts.over(before + b"".join(parts) + after, at)


def same(one: Judged, other: Judged) -> bool:
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in ("likely", "chances", "facts")
    )


@given(PAIRS)
def test_a_pair_is_judged_the_same_alone_and_in_any_batch(pairs: list[tuple[str, str]]) -> None:
    whole, backwards = judge(pairs), judge(pairs[::-1])
    for row, pair in enumerate(pairs):
        alone = judge([pair])
        for many, place in ((whole, row), (backwards, len(pairs) - 1 - row)):
            assert many.likely[place].tobytes() == alone.likely[0].tobytes()
            assert many.chances[place].tobytes() == alone.chances[0].tobytes()
            assert many.facts[place].tobytes() == alone.facts[0].tobytes()


@given(BYTES, st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=300)
def test_bytes_around_the_texts_are_not_read(parts: list[bytes], before: bytes, after: bytes) -> None:
    kana = parts[::-1]
    bare = ENGINE.judge(laid(parts, b"", b""), laid(kana, b"", b""))
    assert same(bare, ENGINE.judge(laid(parts, before, after), laid(kana, after, before)))


@given(PAIRS, st.binary(min_size=1, max_size=20))
def test_a_half_written_character_at_the_end_takes_nothing_from_the_next_row(
    pairs: list[tuple[str, str]], cut: bytes
) -> None:
    kanji = [kanji.encode("utf-8", "replace")[:-1] + cut for kanji, _ in pairs]
    kana = [kana.encode("utf-8", "replace")[:-1] for _, kana in pairs]
    whole = ENGINE.judge(laid(kanji, b"", b""), laid(kana, b"", b""))
    for row in range(len(pairs)):
        alone = ENGINE.judge(laid(kanji[row : row + 1], b"", b""), laid(kana[row : row + 1], b"", b""))
        assert whole.facts[row].tobytes() == alone.facts[0].tobytes()
        assert whole.chances[row].tobytes() == alone.chances[0].tobytes()


@given(PAIRS)
def test_results_are_chances(pairs: list[tuple[str, str]]) -> None:
    judged = judge(pairs)
    assert np.isfinite(judged.likely).all()
    assert ((judged.chances > 0) & (judged.chances < 1)).all()
    assert np.allclose(judged.chances.sum(1), 1)
    assert (judged.facts[:, 0] < 10).all()
    assert (judged.facts[:, 1] < 5).all()


@pytest.mark.parametrize("size", [23, 24, 25, 47, 48, 49, 340, 341, 342, 100_000])
def test_sizes_around_the_bounds(size: int) -> None:
    for kanji, kana in (
        ("田" * size, "ﾀﾅｶ"),
        ("田中", "タ" * size),
        ("田" * size, "タ" * size),
        ("々" * size, "ー" * size),
    ):
        assert np.isfinite(judge([(kanji, kana)]).likely).all()


def test_arrow_columns_are_judged_like_single_pairs() -> None:
    pairs = [("佐藤　花子", "ｻﾄｳ ﾊﾅｺ"), ("", ""), ("鈴木一郎", "ｽｽﾞｷﾖｼｺ"), ("SMITH", "ｽﾐｽ"), ("大野裕子", "ｵｵﾉﾕｳｺ")]
    kanji, kana = (pa.array(["x", *column, "y"]).slice(1, len(pairs)) for column in zip(*pairs, strict=True))
    table = judge_arrow(kanji, kana)
    for row, pair in enumerate(pairs):
        alone = match(*pair)
        assert table["verdict"][row].as_py() == alone.verdict
        assert tuple(table[name][row].as_py() for name in ("p_self", "p_family", "p_oldname", "p_other")) == tuple(
            alone.probabilities[kind] for kind in VERDICTS[:4]
        )


def test_nulls_and_empty_columns() -> None:
    assert judge_arrow(pa.array([], pa.string()), pa.array([], pa.string())).num_rows == 0
    assert judge_arrow(pa.array([None], pa.string()), pa.array(["ｻﾄｳ"]))["verdict"].to_pylist() == ["UNDETERMINED"]


def test_threads_do_not_disturb_each_other() -> None:
    pairs = [(name + other, kana + more) for name, kana in zip(NAMES, READINGS, strict=False)
             for other, more in zip(NAMES, READINGS, strict=False)] * 20  # fmt: skip
    expected = judge(pairs)
    with ThreadPoolExecutor(4) as pool:
        assert all(same(expected, found) for found in pool.map(judge, [pairs] * 8))


def test_places_outside_the_buffer_are_refused() -> None:
    for at in ([0, 4], [-1, 2], [2, 1, 3], []):
        with pytest.raises(ValueError, match="rising row"):
            Texts.over(b"abc", np.array(at, dtype=np.int64))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        ENGINE.judge(Texts.of(["田中"]), Texts.of([]))
