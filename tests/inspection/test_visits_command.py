"""The commands as an officer types them, and lists that nobody would write on purpose."""

import csv
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from inspection.test_visits_august import august
from inspection.visit_list import keep
from madoguchi.cli import app
from madoguchi.inspection.errors import InspectionError, OutputTaken
from madoguchi.inspection.visit_records import FIELDS, prepare


def test_the_command_tells_what_each_check_found(tmp_path: Path) -> None:
    source, out = keep(august(), tmp_path / "list.parquet"), tmp_path / "out"
    result = CliRunner().invoke(app, ["inspect", "visits", str(source), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "「登録済み」と断られた: 3 / 8" in result.output
    assert "消去の証明が記録されていない: 8 / 8" in result.output
    assert {path.name for path in out.iterdir()} == {
        "findings.parquet",
        "findings.xlsx",
        "lookback.parquet",
        "report.pdf",
        "summary.json",
    }
    again = CliRunner().invoke(app, ["inspect", "visits", str(source), "--out", str(out)])
    assert isinstance(again.exception, OutputTaken)


@pytest.mark.slow
def test_an_office_writes_a_list_that_is_inspected(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        given = {"MADOGUCHI_STATE": str(tmp_path / "state"), "DJANGO_SETTINGS_MODULE": "madoguchi.server.settings"}
        command = [sys.executable, "-m", "madoguchi", *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | given)
        return done.stdout

    run("server", "prepare")
    written = run("server", "visits-table", str(tmp_path / "visits.csv"), "--from", "2026-04-01", "--to", "2026-04-30")
    assert "来庁0件" in written
    with (tmp_path / "visits.csv").open(encoding="utf-8-sig") as file:
        assert next(csv.reader(file)) == list(FIELDS)
    assert "確認リスト 0 件" in run("inspect", "visits", str(tmp_path / "visits.csv"), "--out", str(tmp_path / "out"))


_WORDS = st.sampled_from(
    ["", "2022-08-17", "10:00", "R4.8.17 9:00", "完了", "署名", "有", "1", "-1", "1e400", "nan", "\x00"]
)
_CELLS = st.text(max_size=12) | _WORDS


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(_CELLS, min_size=len(FIELDS), max_size=len(FIELDS)), max_size=4))
def test_any_list_is_read_or_refused_by_name(tmp_path: Path, rows: list[list[str]]) -> None:
    source = tmp_path / "any.csv"
    with source.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        csv.writer(file).writerows([list(FIELDS), *rows])
    _read_or_refused(source, tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), head=st.booleans())
def test_any_bytes_are_read_or_refused_by_name(tmp_path: Path, content: bytes, head: bool) -> None:
    source = tmp_path / "any.csv"
    source.write_bytes((",".join(FIELDS).encode() + b"\r\n" if head else b"") + content)
    _read_or_refused(source, tmp_path)


def _read_or_refused(source: Path, folder: Path) -> None:
    with suppress(InspectionError):
        prepare(source, folder / "ready.parquet")
