"""`madoguchi evidence …`: erasing and changing keys. Django is loaded only by the commands."""

import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from madoguchi.server.ledger.erasing import Change, Report

app = typer.Typer(no_args_is_help=True, help="Evidence: the log and its checkpoints, export, erasing, keys.")

StateOption = Annotated[Path, typer.Option(envvar="MADOGUCHI_STATE", help="Folder for databases, keys and logs.")]
STATE = Path("var")
_UNFINISHED_EXIT = 3


@app.command()
def erase(
    state: StateOption = STATE,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only show what would be erased.")] = False,
    visit: Annotated[
        UUID | None, typer.Option(help="Everything personal of one visit, at the person's request.")
    ] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As if it were this day.")] = None,
) -> None:
    """Erase personal contents whose time is over, or those of one visit."""
    setup(state)
    from madoguchi.server import clock
    from madoguchi.server.ledger import erasing

    when: date = day.date() if day else clock.today()
    chosen = erasing.of_visit(visit) if visit else erasing.due(when)
    reason = erasing.Reason.REQUEST if visit else erasing.Reason.DUE
    if not yes:
        _print_table(erasing.by_class(chosen), f"消去の対象({reason.label})")
        _say("まだ消していません。消すには --yes を付けてください。")
        if erasing.unfinished():
            _say("前回の消去が途中です。--yes を付けて実行すると、続きを終えます。")
        return
    _print_report(erasing.erase(chosen=chosen, reason=reason), reason.label)


@app.command("change-key")
def change_key(state: StateOption = STATE) -> None:
    """Make a new wrapping key, wrap everything under it, destroy the old one."""
    setup(state)
    from madoguchi.server.ledger import erasing

    _print_change(erasing.change_key())


def setup(state: Path) -> None:
    """Open the office in this folder."""
    os.environ["MADOGUCHI_STATE"] = str(state.resolve())
    from madoguchi.server.prepare import setup

    setup()


def _print_report(report: "Report", why: str) -> None:
    _print_table(report.erased, f"消去しました({why})")
    if report.change is not None:
        _print_change(report.change)
    if report.residue is not None and not report.residue.clear:
        _say(report.residue.sentence)
        raise typer.Exit(_UNFINISHED_EXIT)


def _print_change(change: "Change") -> None:
    for name in change.strays:
        _say(f"鍵のフォルダに、あるはずのないファイルがありました: {name}")
    _say(f"鍵を替えました。包み直した内容: {change.rewrapped}件。壊した鍵: {len(change.old)}個。新しい鍵: {change.new}")


def _print_table(numbers: dict[str, int], title: str) -> None:
    from madoguchi.server.ledger.retention import CLASSES

    table = Table("種類", "件数", title=title)
    for kind in CLASSES.values():
        table.add_row(kind.label, str(numbers.get(kind.code, 0)))
    Console().print(table)


def _say(sentence: str) -> None:
    Console().print(sentence)
