"""The transition tables as Promela, for `model/terminal.pml`: the model runs these rows, it does not repeat them.

Write it anew with `python -m madoguchi.protocol.promela > model/table.pml`. The model defines what the short words do:
`IF_…` (guards), `KEEP_…` (evidence that is remembered), `SET_…`, `DO_…` (effects), `FORGET`; words of the visit table
begin with `V_`, those of the terminal table with `T_`. `…_ROW(n)` notes that row n of the table was taken.
"""

import sys
from dataclasses import fields

from madoguchi.protocol.events import EffectKind, EventKind
from madoguchi.protocol.states import Terminal, TerminalState, Visit, VisitState
from madoguchi.protocol.table import TERMINAL_TABLE, VISIT_TABLE, Transition

_HEAD = """\
/* Generated from src/madoguchi/protocol by `python -m madoguchi.protocol.promela`. Do not edit. */

mtype = {
"""


def table_pml() -> str:
    """Return the whole include: states and events as `mtype`, each table as one inline that takes one row or none."""
    names = [
        ", ".join(f"v_{state.value}" for state in VisitState),
        ", ".join(f"t_{state.value}" for state in TerminalState),
        *(f"e_{event.value}" for event in EventKind),
    ]
    return "\n".join(
        [
            _HEAD + ",\n".join(f"  {name}" for name in names) + "\n};",
            "",
            *_inline("visit_table(v, event)", VISIT_TABLE, "V"),
            "",
            *_inline("terminal_table(event)", TERMINAL_TABLE, "T"),
            "",
        ]
    )


def _inline(head: str, rows: tuple[Transition, ...], table: str) -> list[str]:
    """`taken` tells the model whether a row fitted. Rows that create a visit have no state to start from."""
    body = [f"  {_row(row)}; {table}_ROW({number})" for number, row in enumerate(rows) if row.source is not None]
    return [f"inline {head} {{", "  taken = true;", "  if", *body, "  :: else -> taken = false", "  fi", "}"]


def _row(row: Transition) -> str:
    guard = f" && {_word(row, 'IF', row.guard.name)}" if row.guard else ""
    return f":: {_state(row)} == {_name(row.source)} && event == e_{row.event.value}{guard} -> {'; '.join(_does(row))}"


def _does(row: Transition) -> list[str]:
    """Remember, set, change the state, do the effects; what is forgotten is forgotten last, so that it is told."""
    known = {field.name for field in fields(Visit if isinstance(row.target, VisitState) else Terminal)}
    kept = [_word(row, "KEEP", name) for name in row.evidence if name in known and not row.clears]
    values = [_word(row, "SET", name, str(bool(value)).lower()) for name, value in row.sets]
    effects = [_word(row, "DO", _effect(effect.kind, effect.event)) for effect in row.effects]
    forgotten = [_word(row, "FORGET", "")] if row.clears else []
    return [*kept, *values, f"{_state(row)} = {_name(row.target)}", *effects, *forgotten]


def _effect(kind: EffectKind, event: EventKind | None) -> str:
    return kind.value if event is None else f"{kind.value}_{event.value}"


def _word(row: Transition, verb: str, name: str, *values: str) -> str:
    visit = isinstance(row.target, VisitState)
    word = "_".join(part for part in ("V" if visit else "T", verb, name.upper()) if part)
    given = ["v", *values] if visit else list(values)
    return f"{word}({', '.join(given)})" if given else word


def _state(row: Transition) -> str:
    return "visit[v].state" if isinstance(row.target, VisitState) else "terminal.state"


def _name(state: VisitState | TerminalState | None) -> str:
    return f"{'v' if isinstance(state, VisitState) else 't'}_{state}"


if __name__ == "__main__":
    sys.stdout.write(table_pml())
