import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names import fold
from madoguchi.names.engine import shipped_engine
from madoguchi.names.folded import Folded
from madoguchi.names.reading import EMPTY_KANA, EMPTY_KANJI, NOT_KANA, NOT_TEXT, OK, TOO_LONG, UNKNOWN

FOLDER = shipped_engine().folder()
KATAKANA = st.text([chr(point) for point in range(0x30A1, 0x30F5)], min_size=1, max_size=20)
ANY = st.text(st.characters(), max_size=80)


def kana(text: str) -> str:
    folded = FOLDER.kana(text)
    assert folded.status == OK
    return fold.kana_text(folded.codes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("オオノ", "オウノ"),
        ("オーノ", "オウノ"),
        ("ｵ-ﾉ", "オウノ"),
        ("ｵｰﾉ", "オウノ"),
        ("ユーコ", "ユウコ"),
        ("ケーコ", "ケイコ"),
        ("シヅカ", "シズカ"),
        ("フヂコ", "フジコ"),
        ("ミヲ", "ミオ"),
        ("キョウコ", "キヨウコ"),
        ("ｷﾖｳｺ", "きょうこ"),
        ("ﾊﾟﾊﾞ", "パバ"),
        ("ｳﾞｲ", "ヴィ"),
        ("ササキ", "サヽキ"),
        ("ﾔﾏﾀﾞ ｶﾞｸ", "ヤマダ　ガク"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert kana(one) == kana(other)


@pytest.mark.parametrize(("one", "other"), [("オノ", "オオノ"), ("ハタ", "バタ"), ("ユキ", "ユウキ")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert kana(one) != kana(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋", "高橋"),
        ("渡邉", "渡辺"),
        ("渡邊", "渡辺"),
        ("山﨑", "山崎"),
        ("濵田", "浜田"),
        ("𠮷田", "吉田"),
        ("佐々木", "佐佐木"),
        ("渡辺\U000e0101", "渡辺"),
        ("神\ufe00田", "神田"),
        ("\uf90a", "金"),
        ("ﾏﾘ", "マリ"),
    ],
)
def test_variants_of_one_kanji_are_one(one: str, other: str) -> None:
    assert FOLDER.kanji(one) == FOLDER.kanji(other)


def test_the_surnames_last_sound_does_not_lengthen_into_the_given_name() -> None:
    assert kana("オノ オサム") == "オノオサム"


@given(KATAKANA)
def test_half_width_and_full_width_are_one(text: str) -> None:
    marked = unicodedata.normalize("NFD", text).replace("\u3099", "\uff9e").replace("\u309a", "\uff9f")
    assert FOLDER.kana(marked) == FOLDER.kana(text)


@given(KATAKANA)
def test_hiragana_and_katakana_are_one(text: str) -> None:
    assert FOLDER.kana("".join(chr(ord(char) - 0x60) for char in text)) == FOLDER.kana(text)


@given(KATAKANA)
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert kana(kana(text)) == kana(text)


@given(ANY)
@settings(max_examples=400)
def test_any_text_is_answered_within_bounds(text: str) -> None:
    for folded, most in ((FOLDER.kanji(text), fold.MAX_KANJI), (FOLDER.kana(text), fold.MAX_KANA)):
        assert 0 <= folded.status <= 9
        assert len(folded.codes) <= most
        assert folded.split == -1 or 0 < folded.split < len(folded.codes)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", EMPTY_KANA),
        (" \u3000", EMPTY_KANA),
        ("ｰｰ", EMPTY_KANA),
        ("ｻﾄｳ1", NOT_KANA),
        ("ｻﾄｳ\0", NOT_KANA),
        ("ア" * 49, TOO_LONG),
    ],
)
def test_kana_that_are_none_are_named(text: str, status: int) -> None:
    assert FOLDER.kana(text) == Folded(status, (), -1)


def test_kanji_that_are_none_are_named() -> None:
    assert FOLDER.kanji("").status == EMPTY_KANJI
    assert FOLDER.kanji("\U00030000田").status == UNKNOWN
    assert FOLDER.kanji("田" * 25).status == TOO_LONG


@pytest.mark.parametrize("damaged", [b"\xff", b"\xe4\xbd", b"\xc0\x80", b"\xe4\xbdA", b"\xf5\x80\x80\x80", b"\x80"])
def test_bytes_that_are_no_utf8_are_named(damaged: bytes) -> None:
    from madoguchi.names.engine import Texts

    texts = Texts.over(b"\xe7\x94\xb0\xe4\xb8\xad" + damaged, Texts.of(["x" * (6 + len(damaged))]).at)
    assert shipped_engine().judge(texts, Texts.of(["ﾀﾅｶ"])).facts[0, 0] == NOT_TEXT
