"""What a log-out confirmation must carry, for each of the four ways of giving it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from madoguchi.protocol.errors import MissingEvidence
from madoguchi.protocol.events import Confirmation, InterruptReason, Outcome, OwnName

_Listed = TypeVar("_Listed", Confirmation, InterruptReason, Outcome, OwnName)


def check_confirmation(body: Mapping[str, Any]) -> None:
    """Check `{"confirmation": {"kind", "own_name"?, …}, "outcome", "reason"?}`.

    Each kind has its own demands (`Confirmation.demands`); spoken needs two different staff. Completed needs
    `own_name` from `OwnName`: another's name hinders no close, but it is on record. Every other outcome needs a reason
    from `InterruptReason`. Raises `MissingEvidence`.
    """
    given = body["confirmation"]
    kind = _member(Confirmation, given.get("kind") if isinstance(given, Mapping) else None)
    missing = [name for name in kind.demands if not str(given.get(name) or "").strip()]
    if missing:
        raise MissingEvidence(f"{kind} lacks {', '.join(missing)}")
    if kind is Confirmation.SPOKEN and str(given["staff_1"]).strip() == str(given["staff_2"]).strip():
        raise MissingEvidence("a spoken confirmation needs two different staff")
    if _member(Outcome, body["outcome"]) is Outcome.COMPLETED:
        _member(OwnName, given.get("own_name"))
    else:
        _member(InterruptReason, body.get("reason"))


def _member(kind: type[_Listed], value: object) -> _Listed:
    for member in kind:
        if value == member.value:
            return member
    raise MissingEvidence(f"not one of {kind.__name__}")
