"""`madoguchi …`: the command line. Rooms are imported only by the commands that need them."""

import json
import logging
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from madoguchi.inspection.commands import commands as inspect_commands
from madoguchi.names.commands import commands as names_commands
from madoguchi.server.ledger import cli_log

app = typer.Typer(no_args_is_help=True, add_completion=False, help="窓口: support counters that cannot mix people up.")
terminal_app = typer.Typer(no_args_is_help=True, help="The agent at a counter terminal.")
server_app = typer.Typer(no_args_is_help=True, help="The counter's office.")
app.add_typer(terminal_app, name="terminal")
app.add_typer(server_app, name="server")
app.add_typer(cli_log.commands, name="evidence")
app.add_typer(names_commands, name="names")
app.add_typer(inspect_commands, name="inspect")

_ERROR_EXIT = 2
_StateOption = Annotated[Path, typer.Option(envvar="MADOGUCHI_STATE", help="Folder for databases, keys and logs.")]
_STATE = Path("var")
_INSTALLED = Path("/etc/madoguchi/terminal.toml")
_ConfigArgument = Annotated[Path, typer.Argument(help="The terminal's TOML file.")]


class Sites(StrEnum):
    """How the national sites behave."""

    Y2022 = "2022"
    Y2023 = "2023"
    PROOF = "proof"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Browser(StrEnum):
    """What the pages are used with."""

    CHROMIUM = "chromium"
    NONE = "none"


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    sites: Annotated[Sites, typer.Option(help="How the national sites behave.")] = Sites.Y2022,
    guard: Annotated[Switch, typer.Option(help="With the four walls, or as it was.")] = Switch.ON,
    browser: Annotated[Browser, typer.Option(help="Real pages in a real browser, or without one.")] = Browser.NONE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> None:
    """Replay what people did at a counter, and report what came of it."""
    from madoguchi.replay.report import print_story
    from madoguchi.replay.run import run_replay
    from madoguchi.replay.scenario import load

    result = run_replay(load(file), sites=sites.value, guard=guard.value, browser=browser.value)
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=2))  # noqa: T201 - the command's output
    else:
        print_story(result, Console())


@app.command()
def training(
    state: _StateOption = _STATE,
    port_base: Annotated[int, typer.Option(help="First of the loopback ports used.")] = 8200,
    sites: Annotated[Sites, typer.Option(help="How the national sites behave.")] = Sites.Y2022,
    prepare_only: Annotated[bool, typer.Option(help="Make the database and stop.")] = False,
) -> None:
    """Start server, national sites and one training terminal on loopback. Ctrl-C stops everything."""
    from madoguchi.training.counter import TrainingCounter

    counter = TrainingCounter(state=state.resolve(), port_base=port_base, sites=sites.value, console=Console())
    counter.prepare()
    if not prepare_only:
        raise typer.Exit(counter.run())


@app.command(hidden=True)
def nation(
    state: _StateOption = _STATE,
    port_base: Annotated[int, typer.Option()] = 8200,
    sites: Annotated[Sites, typer.Option()] = Sites.Y2022,
) -> None:
    """Run the simulated national systems, the shared training reader and the sites' card client."""
    from madoguchi.training.nation import run_nation

    run_nation(state=state.resolve(), port_base=port_base, sites=sites.value)


@server_app.command("prepare")
def server_prepare(state: _StateOption = _STATE) -> None:
    """Bring the database to the newest form."""
    os.environ["MADOGUCHI_STATE"] = str(state.resolve())
    from madoguchi.server.prepare import prepare

    done = prepare()
    Console().print("データベースを用意しました。" if done else "データベースは最新です。")


@server_app.command("run")
def server_run(
    state: _StateOption = _STATE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8200,
    workers: Annotated[int, typer.Option(help="Processes; 1 on SQLite.")] = 1,
) -> None:
    """Serve the office."""
    server_prepare(state)
    arguments = ["--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers)]
    arguments += ["--blocking-threads", "4", "--no-ws", "--log-level", "warning", "madoguchi.server.wsgi:application"]
    os.execv(sys.executable, [sys.executable, "-m", "granian", *arguments])  # noqa: S606 - no shell wanted


@server_app.command("visits-table")
def server_visits_table(
    out: Annotated[Path, typer.Argument(help="The file to write: .parquet or .csv.")],
    state: _StateOption = _STATE,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on.")] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Up to this day, included.")
    ] = None,
    training: Annotated[bool, typer.Option("--training", help="Those of the training city.")] = False,
) -> None:
    """Write the visits as a table for `madoguchi inspect visits`."""
    os.environ["MADOGUCHI_STATE"] = str(state.resolve())
    from madoguchi.server.prepare import setup

    setup()
    from madoguchi.server.visits.table import write_table

    number = write_table(out, first=first and first.date(), last=last and last.date(), training=training)
    Console().print(f"来庁{number:,}件を {out} に書き出しました。", markup=False, soft_wrap=True)


@terminal_app.command("run")
def terminal_run(config: _ConfigArgument) -> None:
    """Run the agent until SIGTERM or Ctrl-C."""
    from madoguchi.terminal.config import load_config
    from madoguchi.terminal.service import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    serve(load_config(config))


@terminal_app.command("enrol")
def terminal_enrol(
    config: _ConfigArgument, code: Annotated[str, typer.Argument(help="One-time code; - reads it from standard input.")]
) -> None:
    """Exchange a one-time code for this terminal's key and token."""
    import httpx

    from madoguchi.terminal.config import load_config
    from madoguchi.terminal.enrol import enrol
    from madoguchi.terminal.service import device_file

    settings = load_config(config)
    given = sys.stdin.readline() if code == "-" else code
    with httpx.Client(timeout=settings.link_timeout, trust_env=False) as client:
        device = enrol(server_url=settings.server_url, code=given, device=device_file(settings), client=client)
    Console().print(f"{device.site} {device.name} として登録しました。")


@terminal_app.command("check")
def terminal_check(
    config: Annotated[Path, typer.Argument(help="The terminal's TOML file.")] = _INSTALLED,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings for machines.")] = False,
    browser: Annotated[
        bool, typer.Option("--browser", help="Start the browser once and ask it about policies.")
    ] = False,
) -> None:
    """Say line by line what is right with this terminal, what is not, and what to do. Exit status 1: no visits."""
    from madoguchi.terminal.check_machine import Machine
    from madoguchi.terminal.check_report import as_json as to_json
    from madoguchi.terminal.check_report import inspect, ready, verdict
    from madoguchi.terminal.config import load_config

    settings = load_config(config)
    findings = inspect(Machine(settings, config_file=config.resolve()), browser=browser)
    if as_json:
        print(json.dumps(to_json(findings), ensure_ascii=False, indent=2))  # noqa: T201 - the command's output
    else:
        for line in [*(finding.line() for finding in findings), verdict(findings, training=settings.training)]:
            print(line)  # noqa: T201 - as it is: brackets and colons are no markup
    raise typer.Exit(0 if ready(findings) else 1)


def main() -> None:
    """Entry point: named errors become a sentence and exit status 2; anything else is a defect and shows itself."""
    try:
        app()
    except Exception as error:
        sentence = getattr(error, "sentence", None)
        if sentence is None or os.environ.get("MADOGUCHI_TRACEBACK"):
            raise
        Console(stderr=True).print(f"[bold]{type(error).__name__}[/bold]: {sentence}\n  {error}", highlight=False)
        sys.exit(_ERROR_EXIT)
