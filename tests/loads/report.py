"""`script/bench evidence`: runs the trials and prints medians and ratios."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loads.checking import Log
from loads.methods import GROUPED, LOGGED, PLAIN, SIGNING, WRITERS
from postgres import cluster

_CONSOLE = Console()
_START = "from madoguchi.server.prepare import setup; setup(); from loads.appending import main; main()"
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "100"}
_SIGNED = 100_000

Rates = dict[tuple[str, int], list[float]]


def main(title: str) -> None:
    """Run what the arguments ask for and print it."""
    given = _arguments(title)
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-", dir=given.folder) as room:
        if given.part in ("all", "append"):
            for name in ("sqlite", "postgres"):
                _show_rates(name, _rates(name, Path(room), given.rounds, given.seconds))
        if given.part in ("all", "check"):
            _show_checks(Path(room), [10**power for power in range(4, given.largest + 1)], given.rounds)


def _arguments(title: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--part", choices=("all", "append", "check"), default="all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one trial of appending")
    parser.add_argument("--largest", type=int, default=6, help="power of ten of the largest log; 7 needs 12 GB of disk")
    parser.add_argument("--folder", type=Path, default=None, help="where logs and databases are made")
    return parser.parse_args()


@contextmanager
def _database(name: str, room: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{room / 'bench.sqlite3'}"
        return
    with cluster(**_DURABLE) as running:
        running.create("bench")
        yield running.url("bench")


def _rates(name: str, room: Path, rounds: int, seconds: float) -> Rates:
    found: Rates = defaultdict(list)
    with _database(name, room) as url:
        here = {"MADOGUCHI_DATABASE_URL": url, "MADOGUCHI_STATE": str(room), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", _START, str(rounds), str(seconds)]
        with subprocess.Popen(command, env=os.environ | here, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                told = json.loads(line)
                found[told["method"], told["writers"]].append(told["rate"])
        if process.returncode:
            raise SystemExit(f"{name}: the trial failed")
    return found


def _show_rates(name: str, found: Rates) -> None:
    signing = statistics.median(found[SIGNING, 0])
    table = Table(title=f"Appending, {name}: acknowledged entries a second (median), ratio to the plain insert")
    for head in ("writers", PLAIN, LOGGED, "ratio", GROUPED, "ratio"):
        table.add_column(head, justify="right")
    for writers in WRITERS:
        floor, logged, grouped = (statistics.median(found[method, writers]) for method in (PLAIN, LOGGED, GROUPED))
        ratios = [_ratio(found[method, writers], found[PLAIN, writers]) for method in (LOGGED, GROUPED)]
        table.add_row(str(writers), f"{floor:,.0f}", f"{logged:,.0f}", ratios[0], f"{grouped:,.0f}", ratios[1])
    _CONSOLE.print(table)
    _CONSOLE.print(f"Beside it, for every statement: canonical JSON and signature, {1e6 / signing:.0f} µs.")


def _ratio(ours: list[float], theirs: list[float]) -> str:
    """The median of the ratios of each round."""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def _show_checks(room: Path, sizes: list[int], rounds: int) -> None:
    table = Table(title="Checking a bundle with hashes only (median), and proofs read from its tiles")
    for head in (
        "entries",
        "seconds",
        "of processor",
        "µs an entry",
        "peak MB",
        "proof bytes",
        "made µs",
        "checked µs",
    ):
        table.add_column(head, justify="right")
    for size in sizes:
        log = Log(room / str(size), size, signed=False).make()
        runs = [log.check("--log-only") for _ in range(rounds if size < 10**7 else 1)]
        seconds, processor = (
            statistics.median(values) for values in zip(*((r.seconds, r.processor) for r in runs), strict=True)
        )
        proofs = log.proofs()
        cells = [f"{size:,}", f"{seconds:.2f}", f"{processor:.2f}", f"{seconds / size * 1e6:.2f}"]
        cells += [f"{max(run.megabytes for run in runs):.0f}", str(proofs.size), f"{proofs.make:.0f}"]
        table.add_row(*cells, f"{proofs.check:.0f}")
        _remove(log.folder)
    _CONSOLE.print(table)
    log = Log(room / "signed", _SIGNED, signed=True).make()
    found = log.check()
    said = f"With statements and signatures: {_SIGNED:,} entries in {found.seconds:.1f} s ({found.processor:.1f} s of "
    _CONSOLE.print(f"{said}processor), {found.seconds / _SIGNED * 1e6:.0f} µs an entry, peak {found.megabytes:.0f} MB.")


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=True)
