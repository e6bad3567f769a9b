"""The inspection of accounts: the chain taken nationally in June 2023, and the name match of every row beside it."""

import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.checks import check
from madoguchi.inspection.engine import Engine, Work, open_engine
from madoguchi.inspection.findings import Expected, Rest
from madoguchi.inspection.folder import whole_folder
from madoguchi.inspection.judge import ADDED, FITTED, UNIT, fit_batch, found_columns, judge_batch, judged_schema
from madoguchi.inspection.near import FITTED as NEAR
from madoguchi.inspection.near import fit_near, weigh_batch
from madoguchi.inspection.progress import READ, REPORT, WRITE, Stages, Watch, unwatched
from madoguchi.inspection.register import Register, open_register
from madoguchi.inspection.summary import Step, Summary
from madoguchi.names.decide import SURE

FINDINGS = "findings.parquet"
_TITLES = ("公金受取口座の点検", "Inspection of public-money accounts")
PLAN = {
    "accounts_repeated": "",
    "accounts_people": "",
    "accounts_fitting": "accounts_people",
    "accounts_sharing": "accounts_people",
    "accounts_strangers": "accounts_sharing",
    "accounts_evidence": "",
    "accounts_chain": "accounts_strangers",
    "accounts_near": "accounts_evidence",
    "accounts_owners": "accounts_near",
    "accounts_rest": "",
    "accounts_weighed": "accounts_evidence",
    "accounts_ranked": "accounts_weighed",
}
"""The steps in order, each with the step whose rows it is compared with; none: the whole register."""
_COUNTED = {
    "accounts_evidence": "SELECT COUNT(*) AS there FROM accounts_judged WHERE rest_bin IS NULL",
    "accounts_rest": "SELECT SUM(rest_rows) AS there FROM accounts_rest",
}
"""For steps whose tables have rows that stand for many: how many rows of the register they are about."""


def inspect(
    register: Path,
    *,
    out: Path,
    engine: str = "duckdb",
    memory: str = "4GB",
    threads: int = 0,
    master: str = "",
    watch: Watch = unwatched,
) -> Summary:
    """Inspect a register and write findings, report and summary into a folder that exists only when all is written.

    See `open_register` and `open_engine` for the arguments and what is raised; `OutputTaken` if `out` holds files.
    `watch` is told of each stage.
    """
    from madoguchi.inspection import report

    report.check_fonts()
    with whole_folder(out) as (work, made):
        stages = Stages(len(PLAN) + 3, watch)
        with stages.stage(*READ):
            opened = open_register(register, work=work, taken=frozenset(ADDED))
        with closing(open_engine(engine, work, memory=memory, threads=threads, master=master)) as running:
            steps = run_plan(running, opened, stages)
            with stages.stage(*WRITE):
                summary = _summary(running, opened, steps, _write_findings(running, opened, made / FINDINGS))
        summary.write(made)
        with stages.stage(*REPORT):
            _report(made, summary)
    return summary


def run_plan(engine: Engine, register: Register, stages: Stages | None = None) -> tuple[Step, ...]:
    """All steps, in order; afterwards the engine has the tables `accounts_ranked` and `accounts_rest`."""
    engine.table("register", register.files)
    engine.put("limits", pa.table({"sure": [SURE]}))
    stages, maps = stages or Stages(len(PLAN)), _maps(register)
    rows, steps = {"": register.rows}, []
    for name, before in PLAN.items():
        query = check(name)
        with stages.stage(query.title_ja, query.title_en):
            began = time.monotonic()
            rows[name] = (
                engine.map(maps[name][0], query.sql, *maps[name][1:]) if name in maps else engine.run(name, query.sql)
            )
            if name in _COUNTED:
                rows[name] = int(engine.read(_COUNTED[name])["there"][0].as_py() or 0)
            seconds = time.monotonic() - began
        steps.append(Step(name, query.title_ja, query.title_en, rows[before], rows[name], seconds))
    return tuple(steps)


def _maps(register: Register) -> dict[str, tuple[str, Work, pa.Schema]]:
    """Of the steps that Python works on: the table they make, with what, of which columns."""
    schema = judged_schema(register.schema)
    return {
        "accounts_fitting": ("accounts_fitted", fit_batch, FITTED),
        "accounts_evidence": ("accounts_judged", partial(judge_batch, schema=schema), schema),
        "accounts_near": ("accounts_near_fitted", fit_near, NEAR),
        "accounts_weighed": ("accounts_found", partial(weigh_batch, schema=schema), schema),
    }


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
