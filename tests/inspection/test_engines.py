import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspection.people import PEOPLE, write_register
from madoguchi.inspection.accounts import inspect
from madoguchi.inspection.engine import open_engine
from madoguchi.inspection.errors import EngineFailed, EngineMissing
from madoguchi.inspection.generator import REGISTER, generate
from madoguchi.inspection.register import SCHEMA


def doubled(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.compute.multiply(batch["n"], 2)], names=["n"])


def test_duckdb_keeps_tables_and_maps_batches(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array(range(300_000), pa.int64())}), tmp_path / "it's.parquet")
    engine = open_engine("duckdb", tmp_path / "work", threads=2)
    engine.table("numbers", [tmp_path / "it's.parquet"])
    assert engine.run("odd", "SELECT n FROM numbers WHERE n % 2 = 1") == 150_000
    assert engine.map("twice", "SELECT n FROM odd", doubled, pa.schema([("n", pa.int64())])) == 150_000
    assert engine.read("SELECT CAST(SUM(n) AS BIGINT) AS n FROM twice").to_pylist() == [{"n": 2 * 150_000**2}]
    engine.close()


def test_an_error_in_a_batch_is_not_lost(tmp_path: Path) -> None:
    def fails(batch: pa.RecordBatch) -> pa.RecordBatch:
        raise ValueError(f"in a batch of {len(batch) > 0}")

    engine = open_engine("duckdb", tmp_path / "work", threads=2)
    with pytest.raises(ValueError, match="in a batch"):
        engine.map("t", "SELECT * FROM range(500000)", fails, pa.schema([("n", pa.int64())]))
    engine.close()


def test_little_memory_is_enough(tmp_path: Path) -> None:
    generate(tmp_path, people=100_000, seed=4)
    results = [found(tmp_path, str(at), memory=memory) for at, memory in enumerate(("60MB", "4GB"))]
    assert results[0].equals(results[1])
    assert len(results[0]) > 200


def found(tmp_path: Path, name: str, **options: Any) -> pa.Table:
    inspect(tmp_path / REGISTER, out=tmp_path / name, **options)
    return pq.read_table(tmp_path / name / "findings.parquet")


def test_a_limit_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed):
        open_engine("duckdb", tmp_path / "work", memory="a lot")


def test_an_engine_nobody_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing):
        open_engine("abacus", tmp_path)


def by_command(register: Path, out: Path, engine: str) -> pa.Table:
    command = [sys.executable, "-m", "madoguchi", "inspect", "accounts", str(register), "--out", str(out)]
    subprocess.run([*command, "--engine", engine, "--memory", "1GB"], check=True, env=os.environ, timeout=300)
    return pq.read_table(out / "findings.parquet")


@pytest.mark.slow
def test_spark_finds_the_same_to_the_last_bit(tmp_path: Path) -> None:
    generate(tmp_path, people=60_000, seed=8)
    results = [by_command(tmp_path / REGISTER, tmp_path / name, name) for name in ("duckdb", "spark")]
    assert len(results[0]) > 100
    assert results[0].equals(results[1], check_metadata=False)


@pytest.mark.slow
def test_spark_takes_nulls_extra_columns_and_a_folder(tmp_path: Path) -> None:
    more = SCHEMA.append(pa.field("city", pa.int32()))
    odd = [
        dict(PEOPLE[0], person_id=None, city=None),
        dict(PEOPLE[2], kanji=None, account=None, registered_at=None, city=3),
        dict(PEOPLE[3], address=None, place=None, birth=None, city=4),
    ]
    (tmp_path / "parts").mkdir()
    write_register(tmp_path / "parts" / "1.parquet", [dict(person, city=1) for person in PEOPLE], more)
    write_register(tmp_path / "parts" / "2.parquet", odd, more)
    results = [by_command(tmp_path / "parts", tmp_path / name, name) for name in ("duckdb", "spark")]
    assert len(results[0]) >= 5
    assert results[0].equals(results[1], check_metadata=False)
