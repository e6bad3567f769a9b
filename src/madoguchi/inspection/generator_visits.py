"""Visit records of made-up people, any number: the same seed gives the same bytes, memory is that of one block.

Everything in them is 架空: numbers, cards and sites begin so. What was planted stands in `truth.parquet`, which no
inspection reads (`lost, got, kind`): whose registration landed on whose card, and how (`generator_wrong.KINDS`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from madoguchi.inspection.folder import whole_files
from madoguchi.inspection.generator_names import Numbers
from madoguchi.inspection.generator_turns import (
    A_DAY,
    CONFIRMATIONS,
    OUTCOMES,
    OWN_NAMES,
    REFUSALS,
    SEATS,
    UNKNOWN,
    Turns,
    make_turns,
    settle,
)
from madoguchi.inspection.generator_wrong import KINDS, choose, plant
from madoguchi.inspection.progress import Stages, Watch, unwatched
from madoguchi.inspection.visit_records import FIELDS, SCHEMA

VISITS, TRUTH = "visits.parquet", "truth.parquet"
WRONG = 0.001
"""Share of visits whose registration landed on the card of the person before, unless told otherwise. Far more than the
nation found (748 of about 54 million accounts, Digital Agency, June 2023): small lists would hold no case."""
RECORDS = pa.schema([SCHEMA.field(name) for name in FIELDS])
TRUTH_SCHEMA = pa.schema([(name, pa.string()) for name in ("lost", "got", "kind")])
_BLOCK = SEATS * A_DAY * 250
_SITES, _PROCEDURES = ("本庁舎", "支所"), ("public_money_account", "payment_service")
_MARK = {b"madoguchi": "架空のデータ: every visit is made up".encode()}
_FIRST_DAY = np.datetime64("2026-04-01T00:00:00", "s").astype(np.int64) - 9 * 3600


@dataclass(frozen=True)
class Told:
    """What was made: visits, and planted cases."""

    rows: int
    wrong: int


def generate(out: Path, *, visits: int, seed: int, wrong: float = WRONG, watch: Watch = unwatched) -> Told:
    """Write `visits.parquet` and `truth.parquet` into a folder. Raises `OutputTaken` if they are there.

    `wrong`: share of visits to plant. `watch` is told of each block.
    """
    with whole_files(out, (TRUTH, VISITS)) as made:
        planted = _write(made, visits, seed, wrong, watch)
    return Told(visits, planted)


def _write(out: Path, visits: int, seed: int, wrong: float, watch: Watch) -> int:
    """Both files, block by block; answers how many were planted."""
    stages, planted = Stages(-(-visits // _BLOCK), watch), 0
    with (
        pq.ParquetWriter(out / VISITS, RECORDS.with_metadata(_MARK), compression="zstd") as rows,
        pq.ParquetWriter(out / TRUTH, TRUTH_SCHEMA.with_metadata(_MARK), compression="zstd") as truth,
    ):
        for start in range(0, visits, _BLOCK):
            with stages.stage("架空の来庁を作る", "Making visits up"):
                records, told = block(start, min(_BLOCK, visits - start), seed, wrong)
                rows.write_table(records)
                truth.write_table(told)
                planted += told.num_rows
    return planted


def block(start: int, count: int, seed: int, wrong: float = WRONG) -> tuple[pa.Table, pa.Table]:
    """Visits `start` to `start + count` of one city, and their truth."""
    dice = np.random.default_rng([seed, start])
    made = make_turns(dice, count)
    got = choose(dice, made, int(wrong * (start + count)) - int(wrong * start))
    settle(dice, made)
    kinds = plant(dice, made, got)
    number = np.arange(start, start + count, dtype=np.int64)
    ids = _marked("来庁", number)
    names = pa.array(KINDS).take(pa.array(kinds))
    truth = [ids.take(pa.array(got + SEATS)), ids.take(pa.array(got)), names]
    return _records(ids, start, made), pa.Table.from_arrays(truth, schema=TRUTH_SCHEMA)


def _records(ids: pa.Array, start: int, made: Turns) -> pa.Table:
    here, site = f"架空市第{start // _BLOCK + 1}区", made.seat // (SEATS // len(_SITES))
    turn = np.arange(len(made), dtype=np.int64) // SEATS
    columns = {
        "visit_id": ids,
        "site": _coded([here + name for name in _SITES], site),
        "terminal": _coded([f"端末{place + 1}" for place in range(SEATS)], made.seat),
        "ticket": _marked("", start + np.arange(len(made), dtype=np.int64)),
        "procedure": _coded(_PROCEDURES, made.procedure),
        "lease": _known(turn + 1),
        "created_at": _times(made.start - 600),
        "called_at": _times(made.start - 60),
        "opened_at": _times(made.start),
        "ended_at": _times(made.end),
        "closed_at": _times(np.where(made.confirmation == UNKNOWN, UNKNOWN, made.end + 60)),
        "cause": pa.nulls(len(made), pa.string()),
        "proof": _known(made.proof).cast(pa.bool_()),
        "confirmation": _coded(CONFIRMATIONS, made.confirmation),
        "own_name": _coded(OWN_NAMES, made.own_name),
        "outcome": _coded(OUTCOMES, made.outcome),
        "refusals": _coded(REFUSALS, made.refusal),
        "card_tag": pc.if_else(pa.array(made.tagged), _marked("カード", start + made.card), None),
        "card_away_s": _known(made.away),
        "registered_at": _times(made.registered),
        "wipe_failed_at": _times(made.failed),
        "released_at": _times(made.released),
    }
    return pa.table(columns).cast(RECORDS)


def _marked(what: str, number: Numbers) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise(f"架空{what}", digits, "")


def _known(column: Numbers) -> pa.Array:
    return pa.array(column, mask=column == UNKNOWN)


def _coded(words: tuple[str, ...] | list[str], column: Numbers) -> pa.Array:
    return pa.array(words).take(_known(column))


def _times(seconds: Numbers) -> pa.Array:
    at = np.where(seconds == UNKNOWN, 0, seconds + _FIRST_DAY).astype("datetime64[s]")
    return pa.array(at, mask=seconds == UNKNOWN).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
