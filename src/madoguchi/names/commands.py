"""`madoguchi names …`. The room's parts are imported only when a command runs: other machines lack its packages."""

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
) -> None:
    """Say whose account it can be, and why."""
    from madoguchi.names.match import match
    from madoguchi.names.reasons import LABELS_JA

    found, console = match(kanji, kana, furigana=furigana), Console(highlight=False)
    console.print(f"[bold]{LABELS_JA[found.verdict]}[/bold] ({found.verdict})")
    console.print(escape(found.reason_ja))
    console.print(escape(found.reason_en))
    for kind, chance in found.probabilities.items():
        console.print(f"  {LABELS_JA[kind]} ({kind}): {chance:.4%}")


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
