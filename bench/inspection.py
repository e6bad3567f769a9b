"""Inspection of accounts: time, peak memory, growth, planted wrong registrations found and missed, DuckDB and Spark.

What the figures mean:

- *people*: rows of the register that `madoguchi inspect generate` makes; every person is made up (架空). Wrong
  registrations are planted at the national rates, 0.24 % family and 0.0014 % other.
- *seconds*: of the whole command in a process of its own, with the report; and of each step of the plan.
- *peak memory*: the most that the process and all it started held at once (proportional set size, seen once a
  second).
- *found*: planted cases among the findings; *after so many looks*: among the first of them. *expected* is what the
  inspection itself said beforehand. *missed* are planted cases that are no finding.
- *chance of being wrong*: findings in groups of equal chance, with the wrong ones expected and planted in each. What
  the generator plants and what the inspection takes for granted come from one hand: how often accounts are shared, how
  often people write typing errors. These figures show that the parts fit together, not how a real register behaves.
- *same results*: `findings.parquet` of both engines is the same table to the last bit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

_SIZES = (1_000_000, 2_500_000, 10_000_000)
_SEED = 1
_GROUPS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999)
_EVERY = 1.0


@dataclass
class Run:
    """One command: its seconds and its peak memory in bytes."""

    seconds: float = 0.0
    peak: int = 0
    summary: dict[str, Any] = field(default_factory=dict)


def run(*words: str) -> Run:
    """Run `madoguchi inspect …` in a process of its own."""
    done, told = threading.Event(), Run()
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "madoguchi", "inspect", *words], stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    watcher = threading.Thread(target=_watch, args=(process.pid, told, done))
    watcher.start()
    try:
        code = process.wait()
    finally:
        process.kill()
        done.set()
        watcher.join()
    if code:
        raise SystemExit(f"madoguchi inspect {' '.join(words)}: exit status {code}")
    told.seconds = time.monotonic() - began
    return told


def _watch(pid: int, told: Run, done: threading.Event) -> None:
    while not done.wait(_EVERY):
        told.peak = max(told.peak, _held(pid))


def _held(pid: int) -> int:
    total = 0
    try:
        for process in [found := psutil.Process(pid), *found.children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total


def inspected(register: Path, out: Path, engine: str, memory: str) -> Run:
    """Inspect a register into `out`."""
    told = run("accounts", str(register), "--out", str(out), "--engine", engine, "--memory", memory)
    told.summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return told


def told_rows(out: Path, truth: Path) -> duckdb.DuckDBPyConnection:
    """Findings with their truth as table `found`, planted cases as `planted`."""
    base = duckdb.connect()
    base.execute(
        "CREATE TABLE planted AS SELECT person_id, kind, noise FROM read_parquet(?) WHERE kind IN ('FAMILY', 'OTHER')",
        [str(truth)],
    )
    base.execute(
        "CREATE TABLE found AS SELECT rank, f.person_id, p_wrong, shared_by, coalesce(t.kind, 'SELF') AS kind, "
        "coalesce(t.noise, 0) AS noise, verdict, kind IN ('FAMILY', 'OTHER') AS wrong "
        "FROM read_parquet(?) f LEFT JOIN read_parquet(?) t USING (person_id)",
        [str(out / "findings.parquet"), str(truth)],
    )
    base.execute("UPDATE found SET wrong = FALSE WHERE wrong IS NULL")
    return base


def show_steps(console: Console, runs: dict[str, Run]) -> None:
    """Seconds of every step, a column for each run."""
    table = Table("step", "rows in", "rows out", *runs, title="Steps, seconds", title_justify="left")
    first = next(iter(runs.values())).summary["steps"]
    for place, step in enumerate(first):
        seconds = (f"{told.summary['steps'][place]['seconds']:.1f}" for told in runs.values())
        table.add_row(step["name"], f"{step['rows_in']:,}", f"{step['rows_out']:,}", *seconds)
    table.add_row("whole command", "", "", *(f"{told.seconds:.1f}" for told in runs.values()))
    table.add_row("peak memory, MB", "", "", *(f"{told.peak / 1e6:.0f}" for told in runs.values()))
    console.print(table)


def show_found(console: Console, base: duckdb.DuckDBPyConnection, summary: dict[str, Any]) -> None:
    """Planted cases found and missed, whole and by rank, beside what was expected."""
    query = (
        "SELECT p.kind, count(*), count(f.rank), max(f.rank), quantile_disc(f.rank, 0.99) "
        "FROM planted p LEFT JOIN found f USING (person_id) GROUP BY p.kind ORDER BY p.kind"
    )
    table = Table("planted", "cases", "found", "missed", "last rank", "rank of 99 % of those found", title="Found")
    for kind, cases, found, last, most in base.sql(query).fetchall():
        table.add_row(kind, f"{cases:,}", f"{found:,}", f"{cases - found:,}", f"{last or 0:,}", f"{most or 0:,}")
    console.print(table)
    [(planted,)] = base.sql("SELECT count(*) FROM planted").fetchall()
    table = Table("looks", "found", "expected", "precision", "expected", title="After so many looks")
    for look in summary["looks"]:
        [(wrong,)] = base.execute("SELECT count(*) FROM found WHERE wrong AND rank <= ?", [look["looked"]]).fetchall()
        expected = f"{look['found_share']:.2%}", f"{look['precision']:.2%}"
        table.add_row(
            f"{look['looked']:,}", f"{wrong / planted:.2%}", expected[0], f"{wrong / look['looked']:.2%}", expected[1]
        )
    console.print(table)
    reached = base.execute(
        "SELECT rank FROM found WHERE wrong ORDER BY rank LIMIT 1 OFFSET ?", [int(0.99 * planted + 0.999999) - 1]
    ).fetchall()
    console.print(f"wrong expected: {summary['expected_wrong']:.0f}, planted: {planted}")
    console.print(
        f"looks for 99 % expected: {summary['looks_for_99']:,}, needed: {reached[0][0] if reached else 'not reached'}"
    )


def show_calibration(console: Console, base: duckdb.DuckDBPyConnection) -> None:
    """Wrong ones expected and planted in groups of equal chance, and what the other rows are."""
    table = Table(
        "chance of being wrong", "rows", "expected wrong", "planted wrong", "typing error", "own reading", "former name"
    )
    for low, high in zip(_GROUPS, (*_GROUPS[1:], 1.01), strict=True):
        [row] = base.execute(
            "SELECT count(*), coalesce(sum(p_wrong), 0), count(*) FILTER (WHERE wrong), "
            "count(*) FILTER (WHERE NOT wrong AND noise & 16 > 0), "
            "count(*) FILTER (WHERE NOT wrong AND noise & 64 > 0), "
            "count(*) FILTER (WHERE kind = 'OLDNAME') "
            "FROM found WHERE p_wrong >= ? AND p_wrong < ?",
            [low, high],
        ).fetchall()
        table.add_row(
            f"{low:g} to {min(high, 1):g}", f"{row[0]:,}", f"{row[1]:.1f}", *(f"{count:,}" for count in row[2:])
        )
    console.print(table)


def one_size(console: Console, people: int, folder: Path, *, spark: bool, memory: str) -> Run:
    """Everything about a register of one size."""
    console.rule(f"{people:,} people")
    made = run("generate", str(folder / "made"), "--people", str(people), "--seed", str(_SEED))
    register, truth = folder / "made" / "register.parquet", folder / "made" / "truth.parquet"
    size = register.stat().st_size / 1e6
    console.print(f"generated in {made.seconds:.1f} s, peak memory {made.peak / 1e6:.0f} MB, {size:.0f} MB of Parquet")
    runs = {"DuckDB": inspected(register, folder / "duckdb", "duckdb", memory)}
    if spark:
        runs["Spark"] = inspected(register, folder / "spark", "spark", memory)
    show_steps(console, runs)
    base = told_rows(folder / "duckdb", truth)
    show_found(console, base, runs["DuckDB"].summary)
    show_calibration(console, base)
    if spark:
        both = [pq.read_table(folder / name / "findings.parquet") for name in ("duckdb", "spark")]
        console.print(f"same results: {'yes' if both[0].equals(both[1], check_metadata=False) else 'NO'}")
    return runs["DuckDB"]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, help="only a register of this size")
    parser.add_argument("--spark", action="store_true", help="the largest register on Spark of this machine too")
    parser.add_argument("--memory", default="4GB", help="limit of the engine's memory")
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    given, console = parser.parse_args(), Console(width=120, highlight=False)
    sizes = (given.people,) if given.people else _SIZES
    grown = Table("people", "seconds", "seconds per million", "peak memory, MB", title="Growth (DuckDB)")
    for people in sizes:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            spark = given.spark and people == sizes[-1]
            told = one_size(console, people, Path(folder), spark=spark, memory=given.memory)
        grown.add_row(
            f"{people:,}", f"{told.seconds:.1f}", f"{told.seconds / people * 1e6:.2f}", f"{told.peak / 1e6:.0f}"
        )
    console.print(grown)


if __name__ == "__main__":
    main()
