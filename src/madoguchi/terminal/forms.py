"""What comes in from the desk page: checked here, once, before it becomes an event."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from madoguchi.evidence.sealed import commit, new_salt
from madoguchi.protocol import Confirmation, Event, EventKind, InterruptReason, Outcome, OwnName, Role
from madoguchi.terminal import texts
from madoguchi.terminal.errors import FormIncomplete

_STAFF = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,39}", re.ASCII)
_MOST_POINTS = 20_000
_LARGEST = 10_000
_LONGEST = 86_400_000
_WRITTEN = frozenset({Confirmation.SIGNATURE, Confirmation.PROXY_SIGNATURE})
_BY_CITIZEN = _WRITTEN


@dataclass(frozen=True, slots=True)
class ConfirmForm:
    """A checked confirmation: the event, and what goes beside it for a written one."""

    event: Event
    payload: dict[str, Any] | None = field(default=None, repr=False)


def read_confirmation(form: Mapping[str, str], *, lease: int) -> ConfirmForm:
    """Turn the form's fields into the CONFIRM event. Raises `FormIncomplete` naming the field.

    Fields: `outcome`; `own_name` if completed, else `reason`; `kind`, and by kind `strokes` (JSON), `witness`,
    `staff_1` and `staff_2`, or `absence`. Staff are named by their login names, never by people's names.
    """
    outcome = _listed(Outcome, form, "outcome")
    body: dict[str, Any] = {"outcome": outcome.value}
    said: dict[str, Any] = {}
    if outcome is Outcome.COMPLETED:
        said["own_name"] = _listed(OwnName, form, "own_name").value
    else:
        body["reason"] = _listed(InterruptReason, form, "reason").value
    kind = _listed(Confirmation, form, "kind")
    payload = None
    if kind in _WRITTEN:
        payload = _sealed_strokes(form.get("strokes", ""))
        said["commitment"] = commit(payload["salt"], payload["payload"])
    body["confirmation"] = {"kind": kind.value, **said, **_by_kind(kind, form)}
    role = Role.CITIZEN if kind in _BY_CITIZEN else Role.SUPPORTER
    return ConfirmForm(Event(EventKind.CONFIRM, role, lease, body), payload)


def wrong_fields(form: Mapping[str, str]) -> tuple[str, ...]:
    """Every field that the confirmation still lacks, in the order of the page; empty when it is complete.

    Found by filling what is lacking with an answer that asks for nothing more, until nothing is refused.
    """
    filled, wrong = dict(form), list[str]()
    while len(wrong) < len(_STAND_IN):
        try:
            read_confirmation(filled, lease=0)
        except FormIncomplete as error:
            if error.field not in _STAND_IN:
                break
            wrong.append(error.field)
            filled[error.field] = _STAND_IN[error.field]
        else:
            break
    return tuple(wrong)


_STAND_IN = {
    "outcome": Outcome.INTERRUPTED.value,
    "reason": InterruptReason.OTHER.value,
    "own_name": OwnName.UNSEEN.value,
    "kind": Confirmation.ABSENT.value,
    "strokes": '{"strokes": [[[0, 0, 0], [1, 1, 1]]], "width": 1, "height": 1}',
    "witness": "a",
    "staff_1": "a",
    "staff_2": "b",
    "absence": texts.ABSENT_REASONS[0],
}


def read_number(given: Mapping[str, Any], name: str, *, least: int, most: int) -> int:
    """A whole number of a JSON body. Raises `FormIncomplete`."""
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FormIncomplete(name)
    return value


def read_text(given: Mapping[str, Any], name: str, *, longest: int) -> str:
    """A short text of a JSON body. Raises `FormIncomplete`."""
    value = given.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise FormIncomplete(name)
    return value


def _by_kind(kind: Confirmation, form: Mapping[str, str]) -> dict[str, str]:
    match kind:
        case Confirmation.PROXY_SIGNATURE:
            return {"witness": _staff(form, "witness")}
        case Confirmation.SPOKEN:
            first, second = _staff(form, "staff_1"), _staff(form, "staff_2")
            if first.casefold() == second.casefold():
                raise FormIncomplete("staff_2")
            return {"staff_1": first, "staff_2": second}
        case Confirmation.ABSENT:
            if form.get("absence") not in texts.ABSENT_REASONS:
                raise FormIncomplete("absence")
            return {"reason": form["absence"]}
        case Confirmation.SIGNATURE:
            return {}


def _staff(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "").strip()
    if not _STAFF.fullmatch(value):
        raise FormIncomplete(name)
    return value


def _listed(kind: Any, form: Mapping[str, str], name: str) -> Any:
    try:
        return kind(form.get(name, ""))
    except ValueError as error:
        raise FormIncomplete(name) from error


def _sealed_strokes(text: str) -> dict[str, Any]:
    drawing = _drawing(text)
    return {"salt": new_salt(), "payload": drawing}


def _drawing(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormIncomplete("strokes") from error
    if not isinstance(given, dict) or set(given) != {"strokes", "width", "height"}:
        raise FormIncomplete("strokes")
    for name in ("width", "height"):
        read_number(given, name, least=1, most=_LARGEST)
    _check_strokes(given["strokes"])
    return given


def _check_strokes(strokes: Any) -> None:
    if not isinstance(strokes, list) or not all(isinstance(stroke, list) and stroke for stroke in strokes):
        raise FormIncomplete("strokes")
    points = [point for stroke in strokes for point in stroke]
    if not points or len(points) > _MOST_POINTS or not all(_is_point(point) for point in points):
        raise FormIncomplete("strokes")
    if all(point[:2] == points[0][:2] for point in points):
        raise FormIncomplete("strokes")  # a single dot is a slip of the hand, no signature


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) != 3:  # x, y, milliseconds
        return False
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in point):
        return False
    return all(0 <= number <= _LARGEST for number in point[:2]) and 0 <= point[2] <= _LONGEST
