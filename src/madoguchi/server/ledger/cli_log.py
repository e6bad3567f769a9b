"""`madoguchi evidence …`: what is taken out of the house, and what is brought back to be compared."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from madoguchi.server.ledger.cli import STATE, StateOption, app, setup

commands = app
"""All of them, those of `cli` too."""

_BROKEN_EXIT = 1


@app.command()
def checkpoint(state: StateOption = STATE) -> None:
    """Print the newest checkpoint: keep it outside the house."""
    setup(state)
    from madoguchi.server.ledger import integrator

    print(integrator.settle().note, end="")  # noqa: T201 - the command's output, byte for byte


@app.command()
def anchor(
    file: Annotated[Path, typer.Argument(help="An old checkpoint; - reads it from standard input.")],
    state: StateOption = STATE,
) -> None:
    """Compare an old checkpoint with the log. Exit status 1: it does not hold."""
    setup(state)
    from madoguchi.server.ledger.anchor import compare

    found = compare(sys.stdin.read() if str(file) == "-" else file.read_text())
    Console().print(found.sentence)
    raise typer.Exit(0 if found.holds else _BROKEN_EXIT)


@app.command()
def verify(state: StateOption = STATE) -> None:
    """Compute everything that is stored again. Exit status 1: something does not hold."""
    setup(state)
    from rich.progress import Progress

    from madoguchi.server.ledger.audit import audit

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("確かめています", total=None)
        found = audit(lambda done, total: bar.update(task, completed=done, total=total))
    for finding in found.found:
        Console().print(f"{finding.sentence} {finding.place} [{finding.code}]", markup=False, soft_wrap=True)
    kinds = len(found.counts)
    end = (
        "すべて合っています。"
        if found.intact
        else f"合わないところがあります({kinds}種類、{found.counts.total()}か所)。"
    )
    Console().print(f"記録 {found.size}件、チェックポイント {found.checkpoints}件: {end}")
    raise typer.Exit(0 if found.intact else _BROKEN_EXIT)


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="The zip to write, or a folder that does not exist yet.")],
    state: StateOption = STATE,
    visit: Annotated[list[UUID] | None, typer.Option(help="Only this visit; several for an incident.")] = None,
    begin: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on.")] = None,
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to this day, included.")] = None,
    disclose: Annotated[bool, typer.Option("--disclose", help="With the personal contents.")] = False,
    old: Annotated[list[Path] | None, typer.Option("--anchor", help="An old checkpoint to compare.")] = None,
) -> None:
    """Write a bundle that can be verified without the office."""
    setup(state)
    from django.utils import timezone

    from madoguchi.server.ledger.export import Scope, export, export_zip

    scope = Scope.of_visits(visit) if visit else Scope.whole()
    if begin and end and not visit:
        days = (timezone.make_aware(begin), timezone.make_aware(end + timedelta(days=1)))
        scope = Scope.period(*days)
    elif begin or end:
        raise typer.BadParameter("--begin and --end go together, and without --visit")
    write = export_zip if target.suffix == ".zip" else export
    written = write(target, scope=scope, disclose=disclose, anchors=[path.read_text() for path in old or ()])
    Console().print(f"{target} に書き出しました。記録 {written.entries}件、内容 {written.payloads}件。")
    Console().print(f"確かめるには: python -m madoguchi.evidence.verify {target}", soft_wrap=True)


@app.command()
def stamp(state: StateOption = STATE) -> None:
    """Have the newest checkpoint stamped by the time-stamping authority that is set (RFC 3161)."""
    setup(state)
    from madoguchi.server.ledger import stamps

    made = stamps.stamp()
    Console().print(f"{made.checkpoint_id}件のチェックポイントのタイムスタンプを保存しました。")
