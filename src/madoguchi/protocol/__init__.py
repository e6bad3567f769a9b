"""The rules of a visit, pure: no clock, no input or output, nothing imported from the other rooms.

Server and terminal run the same tables (`table`) through the same function (`machine.step`).
"""

from madoguchi.protocol.errors import (
    IllegalTransition,
    MalformedMessage,
    MissingEvidence,
    NotAllowed,
    ProtocolError,
    StaleLease,
)
from madoguchi.protocol.events import (
    Confirmation,
    EffectKind,
    EndCause,
    Event,
    EventKind,
    InterruptReason,
    Outcome,
    OwnName,
)
from madoguchi.protocol.exchange import Report, order_of, report_of
from madoguchi.protocol.machine import step
from madoguchi.protocol.messages import Assignment, Message, Procedure, Verdict
from madoguchi.protocol.roles import Permission, Role, may
from madoguchi.protocol.states import Terminal, TerminalState, Visit, VisitState
from madoguchi.protocol.table import TERMINAL_TABLE, VISIT_TABLE, Transition

__all__ = [
    "TERMINAL_TABLE",
    "VISIT_TABLE",
    "Assignment",
    "Confirmation",
    "EffectKind",
    "EndCause",
    "Event",
    "EventKind",
    "IllegalTransition",
    "InterruptReason",
    "MalformedMessage",
    "Message",
    "MissingEvidence",
    "NotAllowed",
    "Outcome",
    "OwnName",
    "Permission",
    "Procedure",
    "ProtocolError",
    "Report",
    "Role",
    "StaleLease",
    "Terminal",
    "TerminalState",
    "Transition",
    "Verdict",
    "Visit",
    "VisitState",
    "may",
    "order_of",
    "report_of",
    "step",
]
