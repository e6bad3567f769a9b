"""The command line and tables of `script/bench terminal`."""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from peers.browsers import PEERS, ClearOnExitKilled, IncognitoLeftOpen, Peer
from peers.removal import Removal
from peers.trials import WRITTEN, Kind, Left, b_is_a, markers
from peers.turnaround import COLD, SPARE, Times, Turnaround

_PEER, _USABLE = "incognito restart", "usable"
_PARTS = (_USABLE, "on the screen", "painted", "curtain", "processes gone", "space gone", "proof", "handed out")
_FEWEST, _REMOVALS = 2, 3


def main(purpose: str) -> None:
    """Measure, or put everybody to the trials, and print."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--rounds", type=int, default=20, help="rounds, at least two")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--markers", action="store_true", help="the two trials instead of the times")
    given = parser.parse_args()
    console = Console(width=140)
    figures = _try_all(console) if given.markers else _time_all(console, max(_FEWEST, given.rounds))
    if given.json is not None:
        given.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


def _time_all(console: Console, rounds: int) -> dict[str, Any]:
    turns, removal = Turnaround(), Removal()
    with console.status("") as status:
        turns.run(rounds, status.update)
        removal.run(rounds * _REMOVALS, status.update)
    console.print(_turnaround_table(turns.times))
    console.print(_removal_table(removal))
    return {"rounds": rounds, "turnaround": turns.times, "removal": removal.times, "uncovered": removal.uncovered}


def _turnaround_table(times: Times) -> Table:
    table = Table("card out -> next page, ms", "n", "median", "p95", f"to {_PEER}", f"to {SPARE}")
    for part in _PARTS:
        for name in (SPARE, COLD, *sorted(times.keys() - {SPARE, COLD})):
            found = times[name].get(part)
            if found:
                middle = statistics.median(found)
                ratios = [middle / statistics.median(times[peer][_USABLE]) for peer in (_PEER, SPARE)]
                shown = [f"{ratio:.2f}" for ratio in ratios] if part == _USABLE else ["", ""]
                table.add_row(f"{part}: {name}", str(len(found)), *_two(found), *shown)
        table.add_section()
    return table


def _removal_table(removal: Removal) -> Table:
    table = Table("card out -> curtain, ms", "n", "median", "p95")
    for what, found in removal.times.items():
        table.add_row(what, str(len(found)), *_two(found))
    table.add_row("page still to be seen when the curtain had answered", str(removal.uncovered), "", "")
    return table


def _two(found: list[float]) -> tuple[str, str]:
    cuts = statistics.quantiles(found, n=20, method="inclusive")
    return f"{statistics.median(found):.1f}", f"{cuts[-1]:.1f}"


def _try_all(console: Console) -> dict[str, Any]:
    table = Table("two trials", "B is taken for A by", "what is left of A", "where")
    figures: dict[str, Any] = {}
    for kind, name in ((None, SPARE), *((peer, peer.name) for peer in PEERS)):
        with console.status(name):
            taken = b_is_a(kind, stay=_stay(kind))
            ways = (
                (False,) if kind is IncognitoLeftOpen else (False, True)
            )  # what is left open does not outlive a crash
            left = [markers(kind, crash=crash, stay=_stay(kind)) for crash in ways]
        table.add_row(name, ", ".join(sorted(taken)) or "nothing", *_summary(left))
        figures[name] = {"b_is_a": sorted(taken), "left": [[list(one) for one in each.left] for each in left]}
        figures[name]["display"] = [[list(one) for one in each.display] for each in left]
    console.print(table)
    return figures


def _stay(kind: Kind) -> float:
    """How long A stays: peers that keep their profile get the time that it takes to write it."""
    kept: tuple[type[Peer], ...] = (ClearOnExitKilled,)
    return WRITTEN if kind in kept else 0.0


def _summary(trials: list[Left]) -> tuple[str, str]:
    lines = [(f"{how}: ", left.left) for how, left in zip(("ended", "crashed"), trials, strict=False)]
    what = "\n".join(how + (", ".join(sorted({found.what for found in left})) or "nothing") for how, left in lines)
    where = "\n".join(how + (", ".join(sorted({found.where for found in left})) or "nowhere") for how, left in lines)
    return what, where
