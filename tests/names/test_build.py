"""The build's parts on a few made-up 架空 names."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from madoguchi.names import alphabet, sources
from madoguchi.names.errors import SourceMissing
from madoguchi.names.learn import FIRST, LAST, TRIGRAM_STEP, Pair, learn_readings, trigrams
from madoguchi.names.lookup import ABSENT, find, hash_half, insert
from madoguchi.names.weigh import weigh

YAMA, KAWA, TA = 128, 129, 130
CODES = {"ヤ": 1, "マ": 2, "カ": 3, "ワ": 4, "タ": 5}


def pair(kanji: tuple[int, ...], kana: str) -> Pair:
    return Pair(kanji, tuple(CODES[sound] for sound in kana))


PAIRS = [
    pair((YAMA, KAWA), "ヤマカワ"),
    pair((YAMA, TA), "ヤマタ"),
    pair((KAWA, TA), "カワタ"),
    pair((TA, YAMA), "タヤマ"),
    pair((TA, YAMA, KAWA), "タ"),
]


def test_readings_are_told_apart_from_whole_names_alone() -> None:
    found = learn_readings(PAIRS)
    weights = weigh(found, found, 256)
    best = {
        kanji: int(
            weights.keys[weights.keys >> 40 == kanji][weights.chances[weights.keys >> 40 == kanji, LAST].argmax()]
        )
        for kanji in (YAMA, KAWA, TA)
    }
    assert {kanji: key & (1 << 40) - 1 for kanji, key in best.items()} == {YAMA: 0x0201, KAWA: 0x0403, TA: 0x05}


def test_a_name_with_fewer_sounds_than_kanji_is_passed_over() -> None:
    assert learn_readings(PAIRS).likelihoods[-1] == 0


def test_chances_of_readings_are_chances_at_every_place() -> None:
    found = learn_readings(PAIRS)
    weights = weigh(found, found, 256)
    for kanji in np.unique(weights.keys >> 40):
        assert weights.chances[weights.keys >> 40 == kanji].sum(0) == pytest.approx(1, abs=0.02)


def test_a_kanji_is_read_otherwise_where_names_show_it() -> None:
    pairs = [pair((TA, YAMA), "タヤマ")] * 300 + [pair((YAMA, TA), "ヤマワ")] * 300
    found = learn_readings(pairs)
    weights = weigh(found, found, 256)
    of = dict(zip(weights.keys.tolist(), weights.chances, strict=True))
    ta, wa = of[TA << 40 | CODES["タ"]], of[TA << 40 | CODES["ワ"]]
    assert ta[FIRST] > 0.8 > 0.2 > wa[FIRST]
    assert wa[LAST] > 0.8 > 0.2 > ta[LAST]


def test_a_kanji_that_no_name_shows_may_be_read_by_any_kana() -> None:
    found = learn_readings(PAIRS)
    odd = weigh(found, found, 256).odd
    assert (odd[200] > odd[YAMA]).all()
    assert odd.min() > 0


def test_given_names_are_read_by_the_beginning_of_a_reading_too() -> None:
    found = learn_readings(PAIRS * 200)
    weights = weigh(found, found, 256)
    of = dict(zip(weights.keys.tolist(), weights.chances, strict=True))
    shorter = of[YAMA << 40 | CODES["ヤ"]]
    assert shorter[:4].max() < 0.001 < shorter[4:].min()


def test_trigrams_are_chances() -> None:
    table = trigrams([(1, 2, 3), (1, 2)])
    assert np.exp(table / -TRIGRAM_STEP).sum(2) == pytest.approx(1, abs=0.05)
    assert table[1, 2, 3] < table[1, 2, 4]


def hashed(seed: int, *codes: int) -> np.uint64:
    return np.uint64(hash_half(np.uint64(seed), np.array(codes), 0, len(codes)))


@pytest.mark.parametrize("size", [1000, 1024, 2503])
def test_a_hashed_table_holds_what_was_put_into_it(size: int) -> None:
    slots = np.zeros(size, dtype=np.uint32)
    keys = [hashed(70_007, number, number * 3) for number in range(900)]
    for number, key in enumerate(keys):
        insert(slots, key, number % 250)
    assert [find(slots, key) for key in keys] == [number % 250 for number in range(900)]
    strangers = [hashed(80_008, number) for number in range(1000)]
    assert all(find(slots, key) == ABSENT for key in strangers)


def test_a_full_table_is_searched_to_its_end_only() -> None:
    slots = np.full(64, 1 << 8, dtype=np.uint32)
    assert find(slots, hashed(80_008, 5)) == ABSENT


def test_of_two_values_the_likelier_stays() -> None:
    slots, key = np.zeros(8, dtype=np.uint32), hashed(80_008, 5)
    for value in (30, 20, 40):
        insert(slots, key, value)
    assert find(slots, key) == 20
    assert np.count_nonzero(slots) == 1


def test_a_chain_of_variants_ends_at_a_used_character() -> None:
    numbers = alphabet.numbered(["高橋"] * 5, {}, {"髙": "髜", "髜": "高", "畠": "畑"})
    assert numbers["髙"] == numbers["高"]
    assert "畠" not in numbers


def test_a_ring_of_variants_ends_at_its_most_used_character() -> None:
    numbers = alphabet.numbered(["斉", "斉", "斎"], {}, {"斉": "斎", "斎": "斉"})
    assert numbers["斎"] == numbers["斉"]


def test_a_used_character_is_folded_by_strict_rules_only() -> None:
    numbers = alphabet.numbered(["澤"] * 5 + ["沢"] * 5 + ["江"], {"澤": "沢"}, {"沢": "江"})
    assert numbers["澤"] == numbers["沢"] != numbers["江"]


def test_a_missing_or_broken_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        sources.name_pairs(tmp_path / "none", sources.SURNAMES)
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(SourceMissing):
        sources.variants(tmp_path / "text", sources.STRICT)
    sqlite3.connect(tmp_path / "empty").execute("CREATE TABLE x (y)")
    with pytest.raises(SourceMissing):
        sources.kanji_readings(tmp_path / "empty")
