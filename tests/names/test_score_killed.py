"""A run that is killed, or whose disk is full, goes on where it was and ends with the same bytes."""

import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from madoguchi.names import score
from names.scored_files import PART, made, table

SCORE = """
import sys
from pathlib import Path
from madoguchi.names.score import score
print(score(Path(sys.argv[1]), Path(sys.argv[2]), rows=int(sys.argv[3])))
"""


def started(source: Path, out: Path, rows: int, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCORE, str(source), str(out), str(rows)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, kind: str) -> None:
    dice = random.Random(17)  # noqa: S311 - moments of kills
    source, out, folder = (
        made(tmp_path, kind, table(rows=20_000)),
        tmp_path / f"out.{kind}",
        tmp_path / f"out.{kind}.parts",
    )
    begin = time.monotonic()
    score.score(source, tmp_path / f"whole.{kind}", rows=PART)
    usual = time.monotonic() - begin
    whole, kills = (tmp_path / f"whole.{kind}").read_bytes(), 0
    for _ in range(12):
        process = started(source, out, PART)
        while process.poll() is None and not folder.exists():
            time.sleep(0.002)
        time.sleep(dice.random() * usual / 4)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if out.exists():
            assert out.read_bytes() == whole
            out.unlink()
    process = started(source, out, PART)
    said, trouble = process.communicate()
    assert process.returncode == 0, trouble
    assert "rows=20000" in said
    assert out.read_bytes() == whole
    assert not folder.exists()
    assert kills >= 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("part", [0.5, 0.001], ids=["while joining", "at the first part"])
def test_a_full_disk_is_named_and_a_later_run_goes_on(tmp_path: Path, kind: str, part: float) -> None:
    source, out = made(tmp_path, kind, table(rows=5000)), tmp_path / f"out.{kind}"
    score.score(source, tmp_path / f"whole.{kind}", rows=500)
    room = int((tmp_path / f"whole.{kind}").stat().st_size * part)
    process = started(source, out, 500, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    _, trouble = process.communicate()
    assert "DiskFull" in trouble
    assert not out.exists()
    done = score.score(source, out, rows=500)
    assert (done.resumed > 0) is (part > 0.1)
    assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
