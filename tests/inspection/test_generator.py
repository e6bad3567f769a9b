from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from madoguchi.inspection import generator
from madoguchi.inspection.errors import OutputTaken
from madoguchi.inspection.generator import REGISTER, TRUTH, block, blocks, generate
from madoguchi.inspection.generator_accounts import FAMILY_SHARE, OTHER_SHARE, TYPO, mistyped
from madoguchi.inspection.generator_names import FORMS, given_names, spelt_otherwise, surnames, zengin
from madoguchi.inspection.register import open_register

PEOPLE = 150_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    generate(out, people=PEOPLE, seed=5)
    return out


def rows(made: Path) -> dict[str, dict[str, object]]:
    return {row["person_id"]: row for row in pq.read_table(made / REGISTER).to_pylist()}


def test_it_is_a_register_of_made_up_people(made: Path, tmp_path: Path) -> None:
    register = open_register(made / REGISTER, work=tmp_path)
    assert register.rows == PEOPLE
    found = pq.read_table(made / REGISTER)
    assert "架空" in pq.read_schema(made / REGISTER).metadata[b"madoguchi"].decode()
    for column, mark in (("person_id", "架空"), ("address", "架空市"), ("place", "架空市")):
        assert all(text.startswith(mark) for text in found[column].to_pylist())
    assert len(set(found["person_id"].to_pylist())) == PEOPLE
    assert not any(column.null_count for column in found.columns)
    assert all(
        a <= b.date() for a, b in zip(found["birth"].to_pylist(), found["registered_at"].to_pylist(), strict=True)
    )


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, people=3_000, seed=seed)
    read = {name: [(tmp_path / name / file).read_bytes() for file in (REGISTER, TRUTH)] for name in "abc"}
    assert read["a"] == read["b"]
    assert read["a"] != read["c"]


def test_blocks_are_as_many_people_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_BLOCK", 1_000)
    tables = list(blocks(2_500, 3))
    assert [len(table) for table in tables] == [1_000, 1_000, 500]
    everybody = pa.concat_tables(tables)
    assert len(set(everybody["person_id"].to_pylist())) == 2_500
    assert tables[1].equals(block(1_000, 1_000, 3)[0])


def test_one_person_is_a_register(tmp_path: Path) -> None:
    assert generate(tmp_path, people=1, seed=0).rows == 1
    assert pq.read_table(tmp_path / REGISTER).num_rows == 1


def test_a_register_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / TRUTH).write_text("mine")
    with pytest.raises(OutputTaken):
        generate(tmp_path, people=10, seed=0)
    assert (tmp_path / TRUTH).read_text() == "mine"


def test_half_a_register_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(start: int, count: int, seed: int) -> Any:
        if start:
            raise OSError("no space left")
        return block(start, count, seed)

    monkeypatch.setattr(generator, "_BLOCK", 100)
    monkeypatch.setattr(generator, "block", full_disk)
    with pytest.raises(OSError, match="no space"):
        generate(tmp_path, people=250, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_wrong_registrations_are_planted_at_the_national_rates(made: Path) -> None:
    kinds = Counter(pq.read_table(made / TRUTH)["kind"].to_pylist())
    assert kinds["FAMILY"] == int(FAMILY_SHARE * PEOPLE) in (359, 360)
    assert kinds["OTHER"] == int(OTHER_SHARE * PEOPLE) == 2
    assert 0.001 < kinds["OLDNAME"] / PEOPLE < 0.01


def test_what_is_planted_is_what_the_truth_says(made: Path) -> None:
    people, moved = rows(made), 0
    for told in pq.read_table(made / TRUTH).to_pylist():
        if told["owner"] is None:
            continue
        person, owner = people[told["person_id"]], people[told["owner"]]
        assert person["holder_kana"] == owner["holder_kana"]
        assert (person["account"] != owner["account"]) == told["moved"]
        moved += told["moved"]
        if told["kind"] == "OTHER":
            assert person["place"] == owner["place"]
            assert str(person["registered_at"])[:10] == str(owner["registered_at"])[:10]
            assert person["address"] != owner["address"]
    assert 0.2 < moved / 362 < 0.6


def test_nobody_else_shares_an_account(made: Path) -> None:
    told = {row["person_id"]: row for row in pq.read_table(made / TRUTH).to_pylist()}
    holders: dict[object, list[str]] = {}
    for person, row in rows(made).items():
        holders.setdefault(row["account"], []).append(person)
    shared = [people for people in holders.values() if len(people) > 1]
    assert shared
    for people in shared:
        wrong = [person for person in people if told.get(person, {}).get("owner")]
        assert len(wrong) >= len(people) - 1


def test_names_are_many_and_long_tailed(made: Path) -> None:
    kanji = [str(name).split("\u3000") for name in pq.read_table(made / REGISTER)["kanji"].to_pylist()]
    first = Counter(name[0] for name in kanji if len(name) == 2)
    given = Counter(name[1] for name in kanji if len(name) == 2)
    assert 0.01 < first.most_common(1)[0][1] / PEOPLE < 0.03
    assert len(first) > 2_000
    assert len(given) > 2_000


def test_given_names_fit_the_year_of_birth(made: Path) -> None:
    years: dict[str, list[int]] = {}
    for row in pq.read_table(made / REGISTER).to_pylist():
        years.setdefault(row["kanji"].split("\u3000")[-1], []).append(row["birth"].year)
    assert np.median(years["幸子"]) < 1960 < 1985 < np.median(years["美咲"])


def test_holder_names_have_the_noise_of_real_ones(made: Path) -> None:
    kana = pq.read_table(made / REGISTER)["holder_kana"].to_pylist()
    half = np.mean(["\uff66" <= name[0] <= "\uff9f" for name in kana])
    assert 0.8 < half < 0.9
    assert 0.04 < np.mean([" " not in name for name in kana]) < 0.09
    noise = np.array(pq.read_table(made / TRUTH)["noise"].to_pylist())
    assert 0.002 < np.count_nonzero(noise & TYPO) / PEOPLE < 0.004


def test_spellings() -> None:
    assert zengin("キョウコ") == "ｷﾖｳｺ"
    assert zengin("ジュン") == "ｼﾞﾕﾝ"
    assert zengin("オータ") == "ｵ-ﾀ"
    assert zengin("パ") == "ﾊﾟ"
    assert spelt_otherwise("サトウ") == "サトオ"
    assert spelt_otherwise("オオタ") == "オウタ"
    assert spelt_otherwise("タナカ") == "タナカ"


def test_every_spelling_of_the_pools_is_kana() -> None:
    for pool in (surnames()[0], given_names()[0]):
        assert len(pool.kana) == len(FORMS)
        for form in pool.kana:
            assert len(form) == len(pool.kanji)
            assert all(
                "ァ" <= char <= "ー" or "\uff66" <= char <= "\uff9f" or char == "-"
                for text in form.to_pylist()
                for char in text
            )


def test_a_slip_changes_at_most_one_kana() -> None:
    dice = np.random.default_rng(1)
    slips = [mistyped(dice, "ﾜﾀﾅﾍﾞ ｹﾝｼﾞ") for _ in range(200)]
    assert {len(slip) for slip in slips} == {9, 10, 11}
    assert "ﾜﾀﾅﾍ ｹﾝｼﾞ" in slips
