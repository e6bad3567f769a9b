"""The inspection of accounts: the chain taken nationally in June 2023, and the name match of every row beside it."""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.checks import check
from madoguchi.inspection.engine import Engine, open_engine
from madoguchi.inspection.errors import OutputTaken
from madoguchi.inspection.findings import Expected, Rest
from madoguchi.inspection.judge import ADDED, FITTED, UNIT, fit_batch, found_columns, judge_batch, judged_schema
from madoguchi.inspection.near import FITTED as NEAR
from madoguchi.inspection.near import fit_near, weigh_batch
from madoguchi.inspection.register import Register, open_register
from madoguchi.inspection.summary import Step, Summary

FINDINGS = "findings.parquet"
_JUDGED = "accounts_judged"
_TITLES = ("公金受取口座の点検", "Inspection of public-money accounts")


def inspect(
    register: Path, *, out: Path, engine: str = "duckdb", memory: str = "4GB", threads: int = 0, master: str = ""
) -> Summary:
    """Inspect a register and write findings, report and summary into a folder that exists only when all is written.

    See `open_register` and `open_engine` for the arguments and what is raised; `OutputTaken` if `out` holds files.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(str(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".inspect-", dir=out.parent) as folder:
        work, made = Path(folder) / "work", Path(folder) / "made"
        work.mkdir()
        made.mkdir()
        opened = open_register(register, work=work, taken=frozenset(ADDED))
        with closing(open_engine(engine, work, memory=memory, threads=threads, master=master)) as running:
            steps = run_plan(running, opened)
            summary = _summary(running, opened, steps, _write_findings(running, opened, made / FINDINGS))
        summary.write(made)
        _report(made, summary)
        if out.exists():
            out.rmdir()
        made.rename(out)
    return summary


def run_plan(engine: Engine, register: Register) -> tuple[Step, ...]:
    """All steps, in order; afterwards the engine has the tables `accounts_ranked` and `accounts_rest`."""
    engine.table("register", register.files)
    steps: list[Step] = []

    def step(name: str, rows_in: int, work: Callable[[str], int] | None = None) -> int:
        began, query = time.monotonic(), check(name)
        rows = (work or partial(engine.run, name))(query.sql)
        steps.append(Step(name, query.title_ja, query.title_en, rows_in, rows, time.monotonic() - began))
        return rows

    step("accounts_repeated", register.rows)
    people = step("accounts_people", register.rows)
    step("accounts_fitting", people, lambda sql: engine.map("accounts_fitted", sql, fit_batch, FITTED))
    sharing = step("accounts_sharing", people)
    strangers = step("accounts_strangers", sharing)
    schema = judged_schema(register.schema)
    judge = partial(judge_batch, schema=schema)
    judged = step("accounts_evidence", register.rows, lambda sql: engine.map(_JUDGED, sql, judge, schema))
    step("accounts_chain", strangers)
    near = step("accounts_near", judged, lambda sql: engine.map("accounts_near_fitted", sql, fit_near, NEAR))
    step("accounts_owners", near)
    step("accounts_rest", judged)
    weighed = partial(weigh_batch, schema=schema)
    found = step("accounts_weighed", judged, lambda sql: engine.map("accounts_found", sql, weighed, schema))
    step("accounts_ranked", found)
    return tuple(steps)


def _write_findings(engine: Engine, register: Register, out: Path) -> pa.Table:
    """The findings in the order of their rank."""
    found = engine.read("SELECT * FROM accounts_ranked ORDER BY rank").select(found_columns(register.schema))
    pq.write_table(found, out, compression="zstd", row_group_size=100_000)
    return found


def _summary(engine: Engine, register: Register, steps: tuple[Step, ...], found: pa.Table) -> Summary:
    rest = engine.read("SELECT * FROM accounts_rest ORDER BY rest_bin DESC").to_pylist()
    groups = [Rest(row["rest_rows"], row["rest_wrong"] / UNIT) for row in rest]
    expected = Expected(np.asarray(found["p_wrong"].to_numpy(), dtype=np.float64), groups)
    return Summary(
        *_TITLES,
        made_at=datetime.now(UTC),
        source=register.source,
        engine=engine.name,
        rows=register.rows,
        steps=steps,
        findings=expected.listed,
        expected_wrong=expected.wrong,
        looks=expected.curve(),
        looks_for_99=expected.looks(0.99),
    )


def _report(out: Path, summary: Summary) -> None:
    from madoguchi.inspection import report

    report.write(out, out / FINDINGS, summary)
