"""The build's parts on a few made-up 架空 names."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from madoguchi.names import alphabet, sources
from madoguchi.names.errors import SourceMissing
from madoguchi.names.learn import Pair, learn_readings, readings_of_roles, trigrams

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
    keys, chances = readings_of_roles(found, found)
    best = {
        int(kanji): int(keys[keys >> 40 == kanji][chances[keys >> 40 == kanji, 0].argmax()]) for kanji in keys >> 40
    }
    assert {kanji: key & (1 << 40) - 1 for kanji, key in best.items()} == {YAMA: 0x0201, KAWA: 0x0403, TA: 0x05}


def test_a_name_with_fewer_sounds_than_kanji_is_passed_over() -> None:
    assert learn_readings(PAIRS).likelihoods[-1] == 0


def test_chances_of_readings_are_chances() -> None:
    found = learn_readings(PAIRS)
    keys, chances = readings_of_roles(found, found)
    for kanji in np.unique(keys >> 40):
        assert 0.9 < chances[keys >> 40 == kanji, 0].sum() <= 1.0001


def test_trigrams_are_chances() -> None:
    table = trigrams([(1, 2, 3), (1, 2)])
    assert np.exp(table / -1024).sum(2) == pytest.approx(1, abs=0.05)
    assert table[1, 2, 3] < table[1, 2, 4]


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
