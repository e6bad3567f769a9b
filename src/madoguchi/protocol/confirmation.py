"""What a log-out confirmation must carry, for each of the four ways of giving it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from madoguchi.protocol.errors import MissingEvidence
from madoguchi.protocol.events import Confirmation, InterruptReason, Outcome

_Listed = TypeVar("_Listed", Confirmation, InterruptReason, Outcome)


def check_confirmation(body: Mapping[str, Any]) -> None:
    """Check `{"confirmation": {"kind", …}, "outcome", "reason"?}`.

    Each kind has its own demands (`Confirmation.demands`); spoken needs two different staff; an outcome other
    than completed needs a reason from `InterruptReason`. Raises `MissingEvidence`.
    """
    given = body["confirmation"]
    kind = _member(Confirmation, given.get("kind") if isinstance(given, Mapping) else None)
    missing = [name for name in kind.demands if not str(given.get(name) or "").strip()]
    if missing:
        raise MissingEvidence(f"{kind} lacks {', '.join(missing)}")
    if kind is Confirmation.SPOKEN and given["staff_1"] == given["staff_2"]:
        raise MissingEvidence("a spoken confirmation needs two different staff")
    if _member(Outcome, body["outcome"]) is not Outcome.COMPLETED:
        _member(InterruptReason, body.get("reason"))


def _member(kind: type[_Listed], value: object) -> _Listed:
    try:
        return kind(value)
    except ValueError as error:
        raise MissingEvidence(f"{value!r} is no {kind.__name__}") from error
