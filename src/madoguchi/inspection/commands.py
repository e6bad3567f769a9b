"""`madoguchi inspect …`. The room's parts are imported only when a command runs: other machines lack its packages."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

commands = typer.Typer(no_args_is_help=True, help="Inspection of whole registers.")


class EngineName(StrEnum):
    """What runs the plan."""

    DUCKDB = "duckdb"
    SPARK = "spark"


@commands.command()
def generate(
    out: Annotated[Path, typer.Argument(help="Folder for register.parquet and truth.parquet.")],
    people: Annotated[int, typer.Option(min=1, help="How many made-up people.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same people.")] = 1,
) -> None:
    """Make a register of made-up people (架空), with wrong registrations planted and the truth beside it."""
    from madoguchi.inspection.generator import generate as make

    told = make(out, people=people, seed=seed)
    Console(highlight=False).print(f"{told.rows} rows, planted: {told.family} family, {told.other} other (架空)")


@commands.command()
def accounts(
    register: Annotated[Path, typer.Argument(help="Parquet file or folder, or CSV.")],
    out: Annotated[Path, typer.Option(help="New folder for findings, report and summary.")],
    engine: Annotated[EngineName, typer.Option(help="DuckDB on this machine, or Spark.")] = EngineName.DUCKDB,
) -> None:
    """Rank registered accounts by the chance of standing with the wrong person."""
    from madoguchi.inspection.accounts import inspect

    told = inspect(register, out=out, engine=engine.value)
    console = Console(highlight=False)
    for step in told.steps:
        console.print(f"{step.title_ja}: {step.rows_in} → {step.rows_out} ({step.seconds:.1f} s)", markup=False)
    console.print(f"所見 {told.findings} 件、99 % を見つけるには {told.looks_for_99} 件を確認します。")
