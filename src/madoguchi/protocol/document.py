"""`docs/protocol.md`, written from the tables so that it cannot differ from them.

Write it anew with `python -m madoguchi.protocol.document > docs/protocol.md`.
"""

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from madoguchi.protocol.events import Confirmation, EndCause, InterruptReason, Outcome, OwnName
from madoguchi.protocol.messages import REPORT_FIELDS
from madoguchi.protocol.roles import PERMISSIONS, STAFF, Permission, Role
from madoguchi.protocol.states import OCCUPYING, TerminalState, VisitState
from madoguchi.protocol.table import TERMINAL_TABLE, VISIT_TABLE, Transition

_Labelled = TypeVar("_Labelled", Outcome, OwnName, InterruptReason, EndCause, Role)

_HEAD = """\
# The protocol

Written from `src/madoguchi/protocol` by `python -m madoguchi.protocol.document`; do not edit. The same tables are run
by server and terminal (`machine.step`), walked by the Hypothesis state machine (`tests/protocol/walk.py`) and checked
by spin (`model/`). Why one table for two machines: `adr/0007-one-table-two-machines.md`.

A step is refused, and changes nothing, when (in this order) it carries an old lease or lacks one it must carry
(`StaleLease`), the table has no row for it (`IllegalTransition`), the role may not (`NotAllowed`), evidence is missing
(`MissingEvidence`) or no guard holds (`IllegalTransition`). A lease is a number that only grows, one for each call of a
visit to a terminal.
"""


def protocol_md() -> str:
    """Return the whole document."""
    parts = [
        _HEAD,
        _machine("Visit (server)", VISIT_TABLE, VisitState),
        f"A visit that is {_words(state.value for state in VisitState if state in OCCUPYING)} holds its terminal: "
        "no other is called there (I1, I4).\n",
        _machine("Terminal (agent)", TERMINAL_TABLE, TerminalState),
        _section("Messages of a terminal", ("kind", "body"), _messages()),
        "`sweep_proven` is about no visit, `wipe_failed` about one or none, everything else about one and its lease. "
        "What a message carries is decided by `exchange.report_of`, what a poll's answer means to the terminal by "
        "`exchange.order_of`.\n",
        _section("Confirmation of the log-out", ("kind", "日本語", "demands"), _confirmations()),
        "A completed outcome also needs `own_name`: whose name the last screen of the national site showed.\n",
        _section("Own name on the last screen", ("value", "日本語"), _labelled(OwnName)),
        _section("Outcomes", ("value", "日本語"), _labelled(Outcome)),
        _section("Reasons of an interruption", ("value", "日本語"), _labelled(InterruptReason)),
        _section("Causes of an end", ("value", "日本語"), _labelled(EndCause)),
        _section("Roles", ("value", "日本語"), _labelled(Role)),
        _section("Permissions", ("permission", *(role.label for role in STAFF)), _permissions()),
    ]
    return "\n".join(parts)


def _machine(title: str, table: Sequence[Transition], states: type[VisitState] | type[TerminalState]) -> str:
    heads = ("from", "event", "to", "who", "evidence", "if", "effects", "日本語")
    return _section(title, heads, map(_row, table), before=_diagram(table, states))


def _diagram(table: Sequence[Transition], states: type[VisitState] | type[TerminalState]) -> str:
    """States and what moves between them; rows that stay where they are stand in the table only."""
    names = [f'    state "{state.label}<br>{state.value}" as {state.value}' for state in states]
    moves: dict[tuple[str, str], list[str]] = {}
    for row in table:
        if row.source != row.target:
            labels = moves.setdefault((row.source.value if row.source else "[*]", row.target.value), [])
            labels.extend([row.event.value] if row.event.value not in labels else [])
    arrows = [f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in moves.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *names, *arrows, "```", ""])


def _row(row: Transition) -> tuple[str, ...]:
    effects = [f"{effect.kind} {effect.event}" if effect.event else str(effect.kind) for effect in row.effects]
    sets = [f"{name} := {value}" for name, value in row.sets] + (["visit forgotten"] if row.clears else [])
    return (
        row.source.value if row.source else "–",
        row.event.value,
        row.target.value,
        _words(role.label for role in Role if role in row.who),
        _words(row.evidence),
        row.guard.name if row.guard else "",
        _words([*effects, *sets]),
        row.label,
    )


def _messages() -> list[tuple[str, ...]]:
    return [(kind.value, _words(names)) for kind, names in REPORT_FIELDS.items()]


def _confirmations() -> list[tuple[str, ...]]:
    return [(kind.value, kind.label, _words(kind.demands)) for kind in Confirmation]


def _labelled(kinds: type[_Labelled]) -> list[tuple[str, ...]]:
    members: Iterable[_Labelled] = kinds
    return [(member.value, member.label) for member in members]


def _permissions() -> list[tuple[str, ...]]:
    return [(name.value, *("○" if role in PERMISSIONS[name] else "" for role in STAFF)) for name in Permission]


def _section(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], before: str = "") -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"## {title}", "", *([before] if before else []), *table, ""])


def _words(words: Iterable[str | StrEnum]) -> str:
    return ", ".join(str(word) for word in words)


if __name__ == "__main__":
    sys.stdout.write(protocol_md())
