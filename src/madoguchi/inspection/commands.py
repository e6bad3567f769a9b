"""`madoguchi inspect …`. The room's parts are imported only when a command runs: other machines lack its packages."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from madoguchi.inspection.progress import Stage, Watch
from madoguchi.inspection.visit_signs import Limits

_A_DAY = 86400
_RETURN_DAYS = Limits().return_s // _A_DAY
commands = typer.Typer(no_args_is_help=True, help="Inspection of whole registers.")


class EngineName(StrEnum):
    """What runs the plan."""

    DUCKDB = "duckdb"
    SPARK = "spark"


@contextmanager
def _shown() -> Iterator[Watch]:
    """Shows the stages while they run, on standard error; where that is no terminal, nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    seen = sys.stderr.isatty() and console.is_interactive
    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not seen) as bar:
        task = bar.add_task("", total=None)

        def show(stage: Stage) -> None:
            done = stage.place if stage.done else stage.place - 1
            bar.update(task, description=stage.title_ja, completed=done, total=stage.of)

        yield show


@commands.command()
def generate(
    out: Annotated[Path, typer.Argument(help="Folder for register.parquet and truth.parquet.")],
    people: Annotated[int, typer.Option(min=1, help="How many made-up people.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same people.")] = 1,
) -> None:
    """Make a register of made-up people (架空), with wrong registrations planted and the truth beside it."""
    from madoguchi.inspection.generator import generate as make

    with _shown() as watch:
        told = make(out, people=people, seed=seed, watch=watch)
    Console(highlight=False).print(f"{told.rows} rows, planted: {told.family} family, {told.other} other (架空)")


@commands.command("generate-visits")
def generate_visits(
    out: Annotated[Path, typer.Argument(help="Folder for visits.parquet and truth.parquet.")],
    visits: Annotated[int, typer.Option(min=1, help="How many made-up visits.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same visits.")] = 1,
    wrong: Annotated[float, typer.Option(min=0.0, max=0.1, help="Share of wrong registrations.")] = 0.001,
) -> None:
    """Make records of made-up visits (架空), with wrong registrations planted and the truth beside them."""
    from madoguchi.inspection.generator_visits import generate as make

    with _shown() as watch:
        told = make(out, visits=visits, seed=seed, wrong=wrong, watch=watch)
    Console(highlight=False).print(f"{told.rows} visits, planted: {told.wrong} (架空)")


@commands.command()
def accounts(
    register: Annotated[Path, typer.Argument(help="Parquet file or folder, or CSV.")],
    out: Annotated[Path, typer.Option(help="New folder for findings, report and summary.")],
    engine: Annotated[EngineName, typer.Option(help="DuckDB on this machine, or Spark.")] = EngineName.DUCKDB,
    memory: Annotated[str, typer.Option(help="Limit of the engine's memory; it spills beyond.")] = "4GB",
    threads: Annotated[int, typer.Option(min=0, help="0: all of the machine.")] = 0,
    master: Annotated[str, typer.Option(help="Spark's master; this machine unless given.")] = "",
) -> None:
    """Rank registered accounts by the chance of standing with the wrong person."""
    from madoguchi.inspection.accounts import inspect

    with _shown() as watch:
        told = inspect(
            register, out=out, engine=engine.value, memory=memory, threads=threads, master=master, watch=watch
        )
    console = Console(highlight=False)
    for step in told.steps:
        console.print(f"{step.title_ja}: {step.rows_in} → {step.rows_out} ({step.seconds:.1f} s)", markup=False)
    console.print(f"所見 {told.findings} 件、99 % を見つけるには {told.looks_for_99} 件を確認します。")


@commands.command()
def visits(
    records: Annotated[Path, typer.Argument(help="Parquet or CSV; `madoguchi server visits-table` writes one.")],
    out: Annotated[Path, typer.Option(help="New folder for findings, look-back list, report and summary.")],
    engine: Annotated[EngineName, typer.Option(help="DuckDB on this machine, or Spark.")] = EngineName.DUCKDB,
    days: Annotated[
        int, typer.Option(min=1, help="Within so many days the same card counts as coming back.")
    ] = _RETURN_DAYS,
) -> None:
    """Look for the signs of a registration that landed on another person's card."""
    from madoguchi.inspection.visits import inspect

    with _shown() as watch:
        told = inspect(records, out=out, engine=engine.value, limits=Limits(return_s=days * _A_DAY), watch=watch)
    console = Console(highlight=False)
    for step in told.steps:
        console.print(f"{step.title_ja}: {step.rows_out:,} / {step.rows_in:,}", markup=False)
    console.print(f"確認リスト {told.findings:,} 件: {out}", markup=False, soft_wrap=True)
