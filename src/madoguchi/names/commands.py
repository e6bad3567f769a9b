"""`madoguchi names …`. The room's parts are imported only when a command runs: other machines lack its packages."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

commands = typer.Typer(no_args_is_help=True, help="Can this account belong to this person?")

_JAMDICT = Annotated[Path, typer.Option("--jmnedict", help="jamdict.db of the package jamdict-data.")]
_MOJI = Annotated[Path, typer.Option("--mojidata", help="moji.db of the package @mandel59/mojidata.")]
_OUT = Annotated[Path | None, typer.Option(help="Table file to write; the shipped one unless given.")]


@commands.command()
def check(
    kanji: Annotated[str, typer.Argument(help="Registry name.")],
    kana: Annotated[str, typer.Argument(help="Account-holder name in kana.")],
    furigana: Annotated[str | None, typer.Option(help="Official reading, where there is one.")] = None,
    alias: Annotated[str | None, typer.Option(help="Registered alias (通称).")] = None,
    former: Annotated[str | None, typer.Option(help="Registered former surname or name (旧氏).")] = None,
) -> None:
    """Say whose account it can be, and why."""
    from madoguchi.names.match import match
    from madoguchi.names.reasons import LABELS_JA, Verdict

    found = match(kanji, kana, furigana=furigana, alias=alias, former=former)
    console = Console(highlight=False)
    console.print(f"[bold]{LABELS_JA[found.verdict]}[/bold] ({found.verdict})")
    console.print(escape(found.reason_ja))
    console.print(escape(found.reason_en))
    judged = found.verdict is not Verdict.UNDETERMINED or found.split is not None
    for kind, chance in found.probabilities.items() if judged else ():
        console.print(f"  {LABELS_JA[kind]} ({kind}): {chance:.4%}")


@commands.command("compile")
def compile_kernel() -> None:
    """Compile the kernel, which else the first pair waits for: once after an installation or an update."""
    from madoguchi.names.match import match

    for kanji, kana, furigana in (("佐藤　花子", "ｻﾄｳ ﾊﾅｺ", None), ("SATO HANAKO", "ｻﾄｳ ﾊﾅｺ", "サトウ　ハナコ")):
        match(kanji, kana, furigana=furigana)


class Encoding(StrEnum):
    """How a CSV is written."""

    UTF_8 = "utf-8"
    CP932 = "cp932"


@commands.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="CSV or Parquet with columns id, kanji, kana.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The same with verdict, chances and reason.")],
    encoding: Annotated[Encoding, typer.Option(help="Of a CSV; cp932 is Windows' Shift_JIS.")] = Encoding.UTF_8,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT when the new one is whole.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="All processors unless given.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of a part, about; bounds memory.")] = None,
) -> None:
    """Judge a whole file. Stopped at any moment, the same command goes on where it was."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from madoguchi.names.score import ROWS
    from madoguchi.names.score import score as score_file

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        found = score_file(
            source, out, encoding=encoding, overwrite=overwrite, threads=threads, rows=rows or ROWS, progress=show
        )
    before = f"（うち {found.resumed:,} 件は前回までに判定済み）" if found.resumed else ""
    Console(highlight=False).print(f"{found.rows:,} 件を判定しました{before}: {out.name}", markup=False)


@commands.command()
def build(
    jmnedict: _JAMDICT,
    mojidata: _MOJI,
    out: _OUT = None,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="Leave a tenth of the names out, for an honest test.")
    ] = False,
) -> None:
    """Make the tables from their sources; the same sources give the same bytes."""
    from madoguchi.names.build import make
    from madoguchi.names.tables import SHIPPED

    target = out or SHIPPED
    told = make(names=jmnedict, variants=mojidata, out=target, holdout=holdout)
    Console(highlight=False).print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB, {told}", markup=False)
