"""A register of made-up people of any size: the same seed gives the same rows; memory is that of one block.

Everybody in it is 架空: person ids begin `架空`, every address and place `架空市`, and the file says so. What
was planted stands in `truth.parquet`, which no inspection reads: persons whose account is not their own, not in their
present name, or written with noise (`person_id, kind, noise, owner, moved`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from madoguchi.inspection.folder import whole_files
from madoguchi.inspection.generator_accounts import (
    FAMILY,
    FAMILY_SHARE,
    KINDS,
    OTHER,
    OTHER_SHARE,
    SELF,
    Accounts,
    make_accounts,
)
from madoguchi.inspection.generator_names import Numbers
from madoguchi.inspection.generator_people import FIRST_DAY, People, make_people
from madoguchi.inspection.progress import Stages, Watch, unwatched
from madoguchi.inspection.register import SCHEMA

REGISTER, TRUTH = "register.parquet", "truth.parquet"
_BLOCK = 1 << 18
_TOWNS = ("本町", "旭町", "緑町", "港町", "泉町", "中央", "東町", "西町", "南町", "北町", "栄町", "新町")
_DIGITS = 10_000_000
_SPREAD = 7_654_321
_MARK = {b"madoguchi": "架空のデータ: every person is made up".encode()}
TRUTH_SCHEMA = pa.schema(
    [
        ("person_id", pa.string()),
        ("kind", pa.string()),
        ("noise", pa.int64()),
        ("owner", pa.string()),
        ("moved", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Told:
    """What was made: rows, and planted rows."""

    rows: int
    family: int
    other: int


def generate(out: Path, *, people: int, seed: int, watch: Watch = unwatched) -> Told:
    """Write `register.parquet` and `truth.parquet` into a folder. Raises `OutputTaken` if they are there.

    `watch` is told of each block.
    """
    with whole_files(out, (TRUTH, REGISTER)) as made:
        counts = _write(made, people, seed, watch)
    return Told(people, int(counts[FAMILY]), int(counts[OTHER]))


def _write(out: Path, people: int, seed: int, watch: Watch) -> Numbers:
    """Both files, block by block; answers how many there are of each kind."""
    counts = np.zeros(len(KINDS), dtype=np.int64)
    stages = Stages(-(-people // _BLOCK), watch)
    marked = [schema.with_metadata(_MARK) for schema in (SCHEMA, TRUTH_SCHEMA)]
    with (
        pq.ParquetWriter(out / REGISTER, marked[0], compression="zstd") as rows,
        pq.ParquetWriter(out / TRUTH, marked[1], compression="zstd") as truth,
    ):
        for start in range(0, people, _BLOCK):
            with stages.stage("架空の人を作る", "Making people up"):
                register, told, kinds = block(start, min(_BLOCK, people - start), seed)
                rows.write_table(register, row_group_size=_BLOCK)
                truth.write_table(told)
            counts += np.bincount(kinds, minlength=len(KINDS))
    return counts


def block(start: int, count: int, seed: int) -> tuple[pa.Table, pa.Table, Numbers]:
    """Persons `start` to `start + count` as register, their truth and their kinds."""
    dice = np.random.default_rng([seed, start])
    people = make_people(dice, count)
    quota = [int(share * (start + count)) - int(share * start) for share in (FAMILY_SHARE, OTHER_SHARE)]
    accounts = make_accounts(dice, people, family=quota[0], other=quota[1])
    number = np.arange(start, start + count, dtype=np.int64)
    ids = _person_ids(number)
    return _register(ids, number, people, accounts, start // _BLOCK + 1), _truth(ids, accounts), accounts.kind


def blocks(people: int, seed: int) -> Iterator[pa.Table]:
    """The register without its truth, block by block."""
    for start in range(0, people, _BLOCK):
        yield block(start, min(_BLOCK, people - start), seed)[0]


def _text(numbers: Numbers, width: int = 0) -> pa.Array:
    text = pa.array(numbers).cast(pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _scattered(number: Numbers) -> Numbers:
    """Each number to another below 10^10, each only once: neighbours do not look like neighbours."""
    return number // _DIGITS * _DIGITS + number % _DIGITS * _SPREAD % _DIGITS


def _person_ids(number: Numbers) -> pa.Array:
    return _join("架空", _text(_scattered(number), 10))


def _account_keys(number: Numbers, moved: Numbers) -> pa.Array:
    """Made-up keys bank-branch-number, each person's own; another branch for those who have moved."""
    scattered = _scattered(number)
    bank = _text(9900 + number * 31 % 90)
    branch = _text(scattered // _DIGITS + 500 * moved, 3)
    return _join(bank, "-", branch, "-", _text(scattered % _DIGITS, 7))


def _register(ids: pa.Array, number: Numbers, people: People, accounts: Accounts, city: int) -> pa.Table:
    moved = np.where((accounts.owner == np.arange(len(people))) & accounts.moved, 1, 0)
    towns = pa.array(_TOWNS).take(pa.array(people.address % len(_TOWNS)))
    where = f"架空市第{city}区"
    at = (FIRST_DAY.astype("datetime64[us]").astype(np.int64) + people.at * 1_000_000).astype("datetime64[us]")
    columns = {
        "person_id": ids,
        "kanji": accounts.kanji,
        "birth": pa.array(people.born.astype("datetime64[D]")),
        "address": _join(where, towns, _text(people.address + 1), "番地"),
        "account": _account_keys(number[accounts.owner], moved),
        "holder_kana": accounts.kana,
        "registered_at": pa.array(at),
        "place": _join(where + "支援窓口", _text(people.place + 1)),
    }
    return pa.table(columns).cast(SCHEMA)


def _truth(ids: pa.Array, accounts: Accounts) -> pa.Table:
    rows = np.flatnonzero((accounts.kind != SELF) | (accounts.noise != 0))
    owner = accounts.owner[rows]
    theirs = pa.array(owner, mask=owner == rows)
    columns = {
        "person_id": ids.take(pa.array(rows)),
        "kind": pa.array(KINDS).take(pa.array(accounts.kind[rows])),
        "noise": pa.array(accounts.noise[rows]),
        "owner": ids.take(theirs),
        "moved": pa.array(accounts.moved[owner]),
    }
    return pa.table(columns, schema=TRUTH_SCHEMA)
