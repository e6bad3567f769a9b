"""Inspects visit records: the city's own signs of a registration that landed on another person's card."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.checks import check
from madoguchi.inspection.engine import Engine, open_engine
from madoguchi.inspection.folder import whole_folder
from madoguchi.inspection.progress import READ, REPORT, WRITE, Stages, Watch, unwatched
from madoguchi.inspection.summary import Step, Summary
from madoguchi.inspection.visit_errors import VisitTwice
from madoguchi.inspection.visit_findings import FINDINGS, LOOKBACK, Pair, Signal, findings, lookback, pairs
from madoguchi.inspection.visit_records import prepare
from madoguchi.inspection.visit_signs import CHECKS, Limits

_TITLES = ("来庁の点検", "Inspection of visits")
_TWICE = "SELECT visit_id FROM visits GROUP BY visit_id HAVING count(*) > 1 ORDER BY visit_id LIMIT 1"
_LEFT_OUT = (
    ("no_proof", "消去の証明が記録されていない", "No word on the wipe proof", "proof IS NULL"),
    ("no_confirmation", "ログアウト確認が記録されていない", "No word on the confirmation", "confirmation IS NULL"),
    ("no_card", "カードの印が記録されていない", "No card tag", "card_tag IS NULL"),
    ("no_refusals", "断られた理由が記録されていない", "No word on refusals", "refusals IS NULL"),
    ("no_registration", "登録の時刻が記録されていない", "No time of registration", "registered_s IS NULL"),
    ("no_time", "時刻がなく、並べられない", "No time: cannot be put in order", "start_s IS NULL"),
)
"""What the records may not say; how many visits each concerns is told beside the checks, which see nothing there."""


class Seats(Mapping[str, Mapping[str, Any]]):
    """The rows of the view `seats` by visit, kept as Arrow: a dictionary is made only of a row that is asked for."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows.combine_chunks()
        self._places = {key: place for place, key in enumerate(self._rows["visit_id"].to_pylist())}
        self._made: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, visit: str) -> Mapping[str, Any]:
        if visit not in self._made:
            place = self._places[visit]
            self._made[visit] = {name: self._rows[name][place].as_py() for name in self._rows.column_names}
        return self._made[visit]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def inspect(
    records: Path,
    *,
    out: Path,
    engine: str = "duckdb",
    memory: str = "4GB",
    threads: int = 0,
    master: str = "",
    limits: Limits | None = None,
    watch: Watch = unwatched,
) -> Summary:
    """Write findings, look-back list, summary and reports into a folder that exists only when all is written.

    See `prepare` and `open_engine` for the arguments and what is raised; also `OutputTaken`, `VisitTwice` and what
    `report.write` raises. `watch` is told of each stage.
    """
    from madoguchi.inspection import report

    report.check_fonts()
    with whole_folder(out) as (work, made):
        stages = Stages(len(CHECKS) + 4, watch)
        with stages.stage(*READ):
            number = prepare(records, work / "records.parquet")
        with closing(open_engine(engine, work, memory=memory, threads=threads, master=master)) as running:
            steps, signals, seats = run_checks(running, work, number, limits or Limits(), stages)
        ranked = pairs(signals)
        summary = _summary(records, number, running.name, steps, ranked)
        with stages.stage(*WRITE):
            _write(made, ranked, seats, summary)
        with stages.stage(*REPORT):
            _report(made, summary)
    return summary


def run_checks(
    engine: Engine, work: Path, number: int, limits: Limits, stages: Stages | None = None
) -> tuple[list[Step], list[Signal], Seats]:
    """Run all checks over `records.parquet` in the folder. Raises `VisitTwice`."""
    engine.table("visits", [work / "records.parquet"])
    engine.put("limits", pa.Table.from_pylist([asdict(limits)]))
    twice = engine.read(_TWICE).to_pylist()
    if twice:
        raise VisitTwice(str(twice[0]["visit_id"]))
    stages, seats = stages or Stages(len(CHECKS) + 1), check("visits_seats")
    with stages.stage(seats.title_ja, seats.title_en):
        engine.run("seats", seats.sql)
    steps, signals = [], []
    for name in CHECKS:
        begun, query = time.monotonic(), check(name)
        with stages.stage(query.title_ja, query.title_en):
            found = [Signal(**row) for row in engine.read(query.sql).to_pylist()]
        signals += found
        steps.append(Step(name, query.title_ja, query.title_en, number, len(found), time.monotonic() - begun))
    return steps + _not_recorded(engine, number), signals, Seats(engine.read("SELECT * FROM seats"))


def _not_recorded(engine: Engine, number: int) -> list[Step]:
    asked = ", ".join(f"count(CASE WHEN {condition} THEN 1 END) AS {name}" for name, _, _, condition in _LEFT_OUT)
    [told] = engine.read(f"SELECT {asked} FROM visits").to_pylist()  # noqa: S608 - our own conditions
    return [Step(name, ja, en, number, told[name], 0.0) for name, ja, en, _ in _LEFT_OUT if told[name]]


def _write(made: Path, ranked: list[Pair], seats: Seats, summary: Summary) -> None:
    pq.write_table(pa.Table.from_pylist(list(findings(ranked, seats)), FINDINGS), made / "findings.parquet")
    pq.write_table(pa.Table.from_pylist(list(lookback(ranked, seats)), LOOKBACK), made / "lookback.parquet")
    summary.write(made)


def _report(made: Path, summary: Summary) -> None:
    from madoguchi.inspection import report

    more = [report.Extra("遡及一覧", made / "lookback.parquet")]
    report.write(made, made / "findings.parquet", summary, more)


def _summary(records: Path, number: int, engine: str, steps: list[Step], ranked: list[Pair]) -> Summary:
    # Nobody has labelled visits, so what is wrong among the findings is not foretold.
    return Summary(
        *_TITLES,
        made_at=datetime.now(UTC),
        source=records.name,
        engine=engine,
        rows=number,
        steps=tuple(steps),
        findings=len(ranked),
        expected_wrong=0.0,
        looks=(),
        looks_for_99=0,
    )
