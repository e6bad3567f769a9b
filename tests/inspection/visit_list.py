"""Visit records in a few words, for tests. All made up (架空)."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.engine import open_engine
from madoguchi.inspection.visit_findings import Signal
from madoguchi.inspection.visit_records import prepare
from madoguchi.inspection.visit_signs import Limits
from madoguchi.inspection.visits import run_checks

Row = dict[str, Any]
DAY = datetime(2022, 8, 17, tzinfo=ZoneInfo("Asia/Tokyo"))


def at(clock: str, *, days: int = 0) -> datetime:
    """`10:35` of the day, or of a day later."""
    hour, minute = map(int, clock.split(":"))
    return DAY + timedelta(days=days, hours=hour, minutes=minute)


def visit(name: str, clock: str, minutes: int = 10, *, days: int = 0, **said: Any) -> Row:
    """A visit at one seat that was completed, wiped and confirmed; `said` says what was different."""
    begun = at(clock, days=days)
    return {
        "visit_id": name,
        "site": "架空庁舎",
        "terminal": "端末1",
        "ticket": f"A-{name}",
        "procedure": "public_money_account",
        "opened_at": begun,
        "ended_at": begun + timedelta(minutes=minutes),
        "proof": True,
        "confirmation": "signature",
        "outcome": "completed",
        "card_tag": f"tag-{name}",
    } | said


UNKNOWN: Row = {"proof": None, "confirmation": None}
LEFT: Row = {"outcome": "interrupted", **UNKNOWN}
"""Went home without completing; of the log-out nothing is written down."""


def keep(rows: Sequence[Row], target: Path) -> Path:
    """The records as Parquet."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), target)
    return target


def signals(folder: Path, *rows: Row, engine: str = "duckdb", limits: Limits | None = None) -> list[Signal]:
    """What the checks say of these visits."""
    work = folder / "work"
    work.mkdir()
    number = prepare(keep(rows, folder / "visits.parquet"), work / "records.parquet")
    with closing(open_engine(engine, work, threads=1)) as running:
        found = run_checks(running, work, number, limits or Limits())[1]
    return sorted(found, key=lambda one: (one.sign, one.seen, one.lost or "", one.got or ""))


def told(found: Sequence[Signal]) -> set[tuple[str, str | None, str | None]]:
    """Sign, whose registration, on whose card."""
    return {(one.sign, one.lost, one.got) for one in found}


def planted() -> Mapping[str, list[Row]]:
    """For each sign a list of visits in which it stands once, `x` being the lost one and `y` the other."""
    y, x = visit("y", "10:00"), visit("x", "10:20")
    return {
        "unproven_missing": [y | {"proof": False, "confirmation": "none"}, x],
        "unproven_signed": [y | {"proof": False}, x],
        "unproven_unknown": [y | LEFT, x],
        "refused_again": [y, x, visit("z", "11:00", card_tag="tag-y", refusals="already_registered")],
        "refused_returned": [y | LEFT, x, visit("z", "11:00", card_tag="tag-y", refusals="already_registered")],
        "refused_first": [y | UNKNOWN, x | {"refusals": "already_registered"}],
        "refused_untagged": [y | UNKNOWN, x | {"refusals": "already_registered", "card_tag": None}],
        "refused_alone": [x | {"refusals": "already_registered"}],
        "refused_candidate": [
            y | LEFT | {"card_tag": None},
            x,
            visit("z", "11:00", days=1, card_tag=None, refusals="already_registered"),
        ],
        "refused_after_proof": [y, x | {"refusals": "already_registered"}],
        "returned_interrupted": [y | LEFT, x, visit("z", "11:00", days=3, card_tag="tag-y")],
        "returned_completed": [y | UNKNOWN, x, visit("z", "11:00", days=3, card_tag="tag-x")],
        "same_minute": [y | {"registered_at": at("10:09")}, x | {"registered_at": at("10:09") + timedelta(seconds=59)}],
        "outside_in_anothers": [y, x | {"registered_at": at("10:05")}],
        "outside_in_nobodys": [y, x | {"registered_at": at("10:15")}],
        "card_away": [y | {"card_away_s": 181}, x],
        "quarantine_skipped": [y | {"wipe_failed_at": at("10:11")}, x],
        "other_name": [y, x | {"own_name": "other"}],
    }
