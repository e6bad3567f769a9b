"""Parts of the judgement of names in Latin letters: folding, rules, learning. Everybody is 架空."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.names import fold, tables
from madoguchi.names.calibrate import START
from madoguchi.names.decide import PRIORS
from madoguchi.names.engine import Engine
from madoguchi.names.latin import build as latin_build
from madoguchi.names.latin import calibrate as latin_calibrate
from madoguchi.names.latin.fold import BEGIN, END, words_of
from madoguchi.names.latin.kernel import GROUPS
from madoguchi.names.latin.learn import PIECE_BITS, LatinPair, learn_groups
from madoguchi.names.latin.read import read_holder
from madoguchi.names.latin.rules import rule_words
from madoguchi.names.latin.sources import LatinWord, ruled_words
from madoguchi.names.reading import OK, read_kana

SHIPPED = tables.shipped()
KANALIKE = st.lists(st.sampled_from([*"アオウエガパャッー・ｱｵﾞﾟヽ", " "]), max_size=30).map("".join)


def letters(text: str) -> list[str]:
    return ["".join(chr(code + 64) for code in word[1:-1]) for word in words_of(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MULLER"),
        ("Nguyễn Thị Hồng", "NGUYEN THI HONG"),
        ("Nguye\u0302\u0303n", "NGUYEN"),
        ("O'Brien", "OBRIEN"),
        ("O’Brien", "OBRIEN"),
        ("Đặng", "DANG"),
        ("Łukasz", "LUKASZ"),
        ("Weiß", "WEISS"),
        ("Sørensen", "SORENSEN"),
        ("ＫＩＭ　ｍｉｎ", "KIM MIN"),
        ("KIM MIN-JUN", "KIM MIN JUN"),
        ("SMITH, JOHN P.", "SMITH JOHN P"),
        ("  A  B ", "A B"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert letters(one) == letters(other) == other.split()


@pytest.mark.parametrize("text", ["A1", "A王", "AЖ", "A\0", "A😀"])
def test_other_characters_stand_in_no_name(text: str) -> None:
    assert words_of(text) == []


@given(KANALIKE)
def test_holders_are_read_like_everywhere_else(text: str) -> None:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    codes = [np.zeros(fold.MAX_KANA, dtype=np.uint8) for _ in range(4)]
    status, m, split = read_kana(data, 0, data.size, SHIPPED.pages, SHIPPED.symbols, codes[0], codes[1])
    told = read_holder(data, 0, data.size, SHIPPED.pages, SHIPPED.symbols, codes[2], codes[3])
    assert told[0] == status
    starts = [place for place in range(1, told[1]) if told[2] >> place & 1]
    if status == OK and len(text.replace("・", " ").split()) <= 2:
        assert told[1] == m
        assert codes[2][:m].tobytes() == codes[0][:m].tobytes()
        assert codes[3][:m].tobytes() == codes[1][:m].tobytes()
        assert starts == ([split] if split > 0 else [])


@pytest.mark.parametrize(("text", "width"), [("ガパ ｱ", 6), ("ｱ-ｲ", 3), ("ｶﾞｶﾞ ", 4), ("ヴ", 2), ("ア　イ", 3)])
def test_half_width_characters_are_counted(text: str, width: int) -> None:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    room = [np.zeros(fold.MAX_KANA, dtype=np.uint8) for _ in range(2)]
    assert read_holder(data, 0, data.size, SHIPPED.pages, SHIPPED.symbols, *room)[3] == width


def test_every_rule_is_read() -> None:
    rules = rule_words()
    assert len(ruled_words(Engine(SHIPPED).folder())) == len(rules)
    assert {rule.group for rule in rules} == {"", "zh", "ko", "vi"}
    listed = {(rule.latin, rule.kana) for rule in rules if rule.listed}
    for pair in (("NGUYEN", "グエン"), ("WANG", "オウ"), ("XIAO", "シャオ"), ("PARK", "パク"), ("NHUNG", "ニュン")):
        assert pair in listed


def pair(latin: str, kana: str) -> LatinPair:
    return LatinPair(words_of(latin)[0], tuple(map(fold.code_of, kana)))


def test_pieces_are_told_apart_from_whole_words_alone() -> None:
    pairs = [
        pair("KAMI", "カミ"),
        pair("MIKA", "ミカ"),
        pair("KATO", "カト"),
        pair("TOMI", "トミ"),
        pair("TOKA", "トカ"),
    ]
    found = learn_groups(pairs * 20)
    assert found.chances.sum() == pytest.approx(1)
    assert (np.diff(found.keys) > 0).all()
    owners = found.keys >> PIECE_BITS
    assert not {BEGIN << 5 | END, END << 5} & set(owners.tolist())


def words(count: int) -> list[LatinWord]:
    return [word for word in ruled_words(Engine(SHIPPED).folder()) if word.group == "ko"][:count]


def test_the_same_words_give_the_same_tables() -> None:
    one, other = (latin_build.learn(SHIPPED, words(400), [(1, 2, 3)]).arrays() for _ in range(2))
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)
    assert sum(array.nbytes for name, array in one.items() if name.startswith("latin_")) < 2_000_000


def test_no_table_points_outside_another() -> None:
    made = latin_build.learn(SHIPPED, words(400), [])
    assert made.latin_groups.size == made.latin_bases.size == made.latin_starts.size - 1
    assert made.latin_starts[0] == 0
    assert made.latin_starts[-1] == made.latin_pieces.size == made.latin_weights.size
    assert (np.diff(made.latin_starts) >= 0).all()
    assert (made.latin_book == 0).any()
    assert (made.latin_groups == 0).any()
    assert made.latin_groups.size & (made.latin_groups.size - 1) == 0


def test_the_calibration_makes_the_truth_likelier() -> None:
    part = words(3000)
    start = np.stack([START] * GROUPS)
    learnt = replace(latin_build.learn(SHIPPED, part, []), latin_fit=start)
    latin, kana, kinds = latin_calibrate.made_up(part)
    knots = latin_calibrate.fit(Engine(learnt), part)
    assert knots.shape == start.shape
    assert np.isfinite(knots).all()
    assert (np.diff(knots, axis=2) >= 0).all()
    scores = []
    for fit in (start, knots):
        judged = Engine(replace(learnt, latin_fit=fit)).judge(latin, kana)
        assert (judged.facts[:, 0] == OK).all()
        of_truth = judged.chances[np.arange(len(kinds)), kinds]
        scores.append(float(np.log(of_truth) @ np.array(PRIORS)[kinds]))
    assert scores[1] > scores[0]
