"""The one transition table in two halves: (from, event, to, who may, evidence required, Japanese label).

`VISIT_TABLE` is the server's, `TERMINAL_TABLE` the agent's; both are run by `machine.step`, drawn in
`docs/protocol.md`, walked by the Hypothesis state machine and compared with `model/terminal.pml`.
"""

from madoguchi.protocol.events import EventKind
from madoguchi.protocol.states import Terminal, Visit
from madoguchi.protocol.terminal_table import TERMINAL_TABLE
from madoguchi.protocol.transition import Body, Guard, Transition
from madoguchi.protocol.visit_table import VISIT_TABLE

__all__ = ["TERMINAL_TABLE", "VISIT_TABLE", "Body", "Guard", "Transition", "rows_for"]


def rows_for(snapshot: Visit | Terminal | None, event: EventKind) -> tuple[Transition, ...]:
    """Rows that start in the snapshot's state with this event, guards not yet asked."""
    table = TERMINAL_TABLE if isinstance(snapshot, Terminal) else VISIT_TABLE
    state = snapshot.state if snapshot is not None else None
    return tuple(row for row in table if row.source == state and row.event == event)
