from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.names.batch import SCORES, judge_arrow
from madoguchi.names.file_errors import ColumnNotText

# Everybody here is 架空.
KANJI = ["佐藤　花子", "鈴木一郎", "", None, "😀", "大野　裕子"]
KANA = ["ｻﾄｳ ﾊﾅｺ", "ｽｽﾞｷﾖｼｺ", "ｻﾄｳ", "ｱ ｲ", "ｻﾄｳ ﾊﾅｺ", None]
EXPECTED = judge_arrow(pa.array(KANJI), pa.array(KANA))


def same(found: pa.RecordBatch, expected: pa.RecordBatch = EXPECTED) -> bool:
    """Whether all values are the same to the last bit."""
    return bool(found.to_pydict() == expected.to_pydict() and found.schema == expected.schema)


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_string()),
    ],
    ids=str,
)
def test_every_text_type_is_judged_alike(kind: pa.DataType) -> None:
    encoded = [None if text is None else text.encode() for text in KANJI]
    kanji = pa.array(encoded if "binary" in str(kind) else KANJI, kind)
    assert same(judge_arrow(kanji, pa.array(KANA, pa.string()).cast(pa.large_string())))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_slices_and_chunks_are_judged_alike(kind: pa.DataType) -> None:
    kanji, kana = (pa.array(["x", "長い文字列", *column, "y"], kind) for column in (KANJI, KANA))
    assert same(judge_arrow(kanji.slice(2, len(KANJI)), kana.slice(2, len(KANA))))
    chunks = pa.chunked_array([pa.array(KANJI[:1], kind), pa.array([], kind), pa.array(KANJI[1:], kind)])
    assert same(judge_arrow(chunks, kana.slice(2, len(KANA))))


def test_columns_without_rows_and_of_nulls_only() -> None:
    for kind in (pa.string(), pa.null(), pa.dictionary(pa.int8(), pa.string())):
        assert judge_arrow(pa.array([], kind), pa.array([], kind)).num_rows == 0
        assert judge_arrow(pa.nulls(3, kind), pa.nulls(3, kind))["verdict"].to_pylist() == ["UNDETERMINED"] * 3
    assert judge_arrow(pa.chunked_array([], pa.string()), pa.array([], pa.string())).num_rows == 0


def test_a_null_that_has_bytes_is_empty_and_says_so() -> None:
    data, places = pa.py_buffer("佐藤花子".encode()), pa.py_buffer(np.array([0, 12], dtype=np.int32))
    hidden = pa.Array.from_buffers(pa.string(), 1, [pa.py_buffer(b"\0"), places, data])
    assert judge_arrow(hidden, pa.array(["ｻﾄｳﾊﾅｺ"]))["reason"].to_pylist() == ["氏名が空です。"]


@pytest.mark.parametrize("column", [pa.array([1, 2]), pa.array([1.5, None]), pa.array([True, False])], ids=str)
def test_numbers_are_no_names(column: pa.Array) -> None:
    assert judge_arrow(column, column)["verdict"].to_pylist() == ["UNDETERMINED"] * 2


def test_lists_are_refused_by_name() -> None:
    with pytest.raises(ColumnNotText):
        judge_arrow(pa.array([["佐藤"]]), pa.array(["ｻﾄｳ"]))


@pytest.mark.parametrize("name", ["furigana", "alias", "former"])
def test_columns_of_other_lengths_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="equally many"):
        judge_arrow(pa.array(["佐藤"]), pa.array(["ｻﾄｳ"]), **{name: pa.array(["a", "b"])})


@pytest.mark.parametrize(
    ("kanji", "kana", "reason"),
    [
        ("", "ｻﾄｳ", "氏名が空です。"),
        ("佐藤花子", "", "口座名義カナが空です。"),
        ("佐藤\0花子", "ｻﾄｳ ﾊﾅｺ", "氏名に、名前に使わない文字があります。"),
        ("佐藤花子", "123", "口座名義に、カナでない文字があります。"),
        ("佐藤花子", "ｻﾄｳ\r\nﾊﾅｺ", "口座名義に、カナでない文字があります。"),
        ("😀😀", "ｻﾄｳ ﾊﾅｺ", "氏名に、名前に使わない文字があります。"),
        ("ä½è—¤", "ｻﾄｳ ﾊﾅｺ", "氏名に、"),
        ("\U00030000田　花子", "ｻﾄｳ ﾊﾅｺ", "氏名に、読みを知らない漢字があります。"),
        ("花" * 1_000_000, "ｱ" * 1_000_000, "氏名か口座名義が長すぎます。"),
        ("花子", "ｱ", "姓と名に分けられません。"),
    ],
    ids=range(10),
)
def test_what_is_no_name_is_undetermined_with_a_reason(kanji: str, kana: str, reason: str) -> None:
    found = judge_arrow(pa.array([kanji]), pa.array([kana]))
    assert found["verdict"].to_pylist() == ["UNDETERMINED"]
    assert found["reason"][0].as_py().startswith(reason)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xe4\xbd", b"\xf5\x80\x80\x80", b"\xc0\x80", "佐藤".encode("cp932")])
def test_bytes_that_are_no_text_are_undetermined(kind: pa.DataType, bad: bytes) -> None:
    found = judge_arrow(pa.array([bad, "佐藤花子".encode()], kind), pa.array(["ｻﾄｳﾊﾅｺ"] * 2))
    assert found["verdict"].to_pylist() == ["UNDETERMINED", "SELF"]
    assert found["reason"][0].as_py() == "文字として読めないデータです（文字化け）。"


@pytest.mark.parametrize(
    "as_type", [lambda array: array.view(pa.string()), lambda array: array.view(pa.string()).dictionary_encode()]
)
def test_strings_that_are_not_what_they_say_are_undetermined(as_type: Callable[[pa.Array], pa.Array]) -> None:
    found = judge_arrow(as_type(pa.array([b"\xe4\xbd\xff", b"\xff"])), as_type(pa.array([b"\xb1", b"\xb1"])))
    assert found["verdict"].to_pylist() == ["UNDETERMINED"] * 2


def test_the_columns_are_those_that_are_promised() -> None:
    assert EXPECTED.schema.names == [*SCORES, "status"]
    for name in ("verdict", "reason"):
        assert pa.types.is_dictionary(EXPECTED.schema.field(name).type)
        assert EXPECTED[name].null_count == 0


@given(st.lists(st.tuples(st.text(max_size=20) | st.none(), st.text(max_size=20) | st.none()), min_size=1, max_size=10))
def test_any_texts_have_a_verdict_and_a_reason(rows: list[tuple[str | None, str | None]]) -> None:
    kanji, kana = (pa.array(list(column), pa.string()) for column in zip(*rows, strict=True))
    found = judge_arrow(kanji, kana, furigana=kana, alias=kanji, former=kana)
    assert found.num_rows == len(rows)
    assert all(found["reason"].to_pylist())
