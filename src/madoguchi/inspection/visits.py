"""Inspects visit records: the city's own signs of a registration that landed on another person's card."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.errors import OutputTaken
from madoguchi.inspection.report import Extra, write
from madoguchi.inspection.summary import Step, Summary
from madoguchi.inspection.visit_errors import VisitTwice
from madoguchi.inspection.visit_findings import FINDINGS, LOOKBACK, Pair, Signal, findings, lookback, pairs
from madoguchi.inspection.visit_records import prepare
from madoguchi.inspection.visit_signs import CHECKS, Limits

TITLE_JA, TITLE_EN = "来庁の点検", "Inspection of visits"

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

    def __getitem__(self, visit: str) -> Mapping[str, Any]:
        place = self._places[visit]
        return {name: self._rows[name][place].as_py() for name in self._rows.column_names}

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def inspect(records: Path, *, out: Path, limits: Limits | None = None) -> Summary:
    """Write findings, look-back list, summary and reports into the new folder `out`.

    Raises `OutputTaken`, what `prepare` raises, `VisitTwice`, and what `report.write` raises; `out` exists only when
    all is written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(str(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".inspect-", dir=out.parent) as folder:
        work, made = Path(folder) / "work", Path(folder) / "made"
        for new in (work, made):
            new.mkdir()
        summary = _inspect(records, work, made, limits or Limits())
        if out.exists():
            out.rmdir()
        shutil.move(made, out)
    return summary


def _inspect(records: Path, work: Path, made: Path, limits: Limits) -> Summary:
    number = prepare(records, work / "visits.parquet")
    with duckdb.connect() as engine:
        _views(engine, work / "visits.parquet", limits)
        steps, signals = _run(engine, number)
        seats = Seats(engine.sql("SELECT * FROM seats").to_arrow_table())
        steps += _not_recorded(engine, number)
    ranked = pairs(signals)
    _keep(made, ranked, seats)
    summary = _summary(records, number, steps, ranked)
    (made / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    write(made, made / "findings.parquet", summary, [Extra("遡及一覧", made / "lookback.parquet")])
    return summary


def _views(engine: duckdb.DuckDBPyConnection, visits: Path, limits: Limits) -> None:
    engine.register("visits", engine.read_parquet(str(visits)))
    twice = engine.sql("SELECT visit_id FROM visits GROUP BY visit_id HAVING count(*) > 1 LIMIT 1").fetchall()
    if twice:
        raise VisitTwice(str(twice[0][0]))
    values = {name: getattr(limits, name) for name in Limits.__slots__}
    engine.execute("CREATE TABLE limits AS SELECT " + ", ".join(f"{value} AS {name}" for name, value in values.items()))
    engine.execute(f"CREATE TABLE seats AS {sql('visits_seats')}")


def _run(engine: duckdb.DuckDBPyConnection, number: int) -> tuple[list[Step], list[Signal]]:
    steps, signals = [], []
    for check in CHECKS:
        begun = perf_counter()
        found = [Signal(*row) for row in engine.sql(sql(check.name)).fetchall()]
        signals += found
        steps.append(
            Step(check.name, check.title_ja, check.title_en, number, len(found), perf_counter() - begun),
        )
    return steps, signals


def _not_recorded(engine: duckdb.DuckDBPyConnection, number: int) -> list[Step]:
    asked = ", ".join(f"count(*) FILTER (WHERE {condition})" for *_, condition in _LEFT_OUT)
    [told] = engine.sql(f"SELECT {asked} FROM visits").fetchall()  # noqa: S608 - our own conditions
    return [
        Step(name, ja, en, number, count, 0.0)
        for (name, ja, en, _), count in zip(_LEFT_OUT, told, strict=True)
        if count
    ]


def sql(name: str) -> str:
    """The text of a check."""
    return files(__package__).joinpath("checks", f"{name}.sql").read_text(encoding="utf-8")


def _keep(made: Path, ranked: list[Pair], seats: Seats) -> None:
    pq.write_table(pa.Table.from_pylist(list(findings(ranked, seats)), FINDINGS), made / "findings.parquet")
    pq.write_table(pa.Table.from_pylist(list(lookback(ranked, seats)), LOOKBACK), made / "lookback.parquet")


def _summary(records: Path, number: int, steps: list[Step], ranked: list[Pair]) -> Summary:
    # Nobody has labelled visits, so what is wrong among the findings is not foretold.
    return Summary(
        title_ja=TITLE_JA,
        title_en=TITLE_EN,
        made_at=datetime.now(UTC),
        source=records.name,
        engine=f"DuckDB {duckdb.__version__}",
        rows=number,
        steps=tuple(steps),
        findings=len(ranked),
        expected_wrong=0.0,
        looks=(),
        looks_for_99=0,
    )
