"""Lists, labels, permissions, confirmations, and the documents that are written from them."""

from pathlib import Path
from typing import Any

import pytest

from madoguchi.protocol import (
    Confirmation,
    EndCause,
    InterruptReason,
    MissingEvidence,
    Outcome,
    OwnName,
    Permission,
    ProtocolError,
    Role,
    TerminalState,
    VisitState,
    errors,
    may,
)
from madoguchi.protocol.confirmation import check_confirmation
from madoguchi.protocol.document import protocol_md
from madoguchi.protocol.events import EffectKind
from madoguchi.protocol.messages import REPORT_FIELDS, REPORTED
from madoguchi.protocol.roles import PERMISSIONS, STAFF
from madoguchi.protocol.table import TERMINAL_TABLE, VISIT_TABLE

GIVEN: dict[Confirmation, dict[str, str]] = {
    Confirmation.SIGNATURE: {"commitment": "c2ln"},
    Confirmation.PROXY_SIGNATURE: {"commitment": "c2ln", "witness": "支援員2"},
    Confirmation.SPOKEN: {"staff_1": "支援員1", "staff_2": "支援員2"},
    Confirmation.ABSENT: {"reason": "離席"},
}


def confirmed(kind: Confirmation, **changed: Any) -> dict[str, Any]:
    return {"confirmation": {"kind": kind.value, "own_name": "own", **GIVEN[kind], **changed}, "outcome": "completed"}


@pytest.mark.parametrize(
    "listed", [VisitState, TerminalState, Outcome, OwnName, InterruptReason, Confirmation, EndCause, Role]
)
def test_everything_shown_has_a_japanese_label_of_its_own(listed: type[Any]) -> None:
    labels = [member.label for member in listed]
    assert all(label.strip() and not label.isascii() for label in labels)
    assert len(set(labels)) == len(labels)


def test_every_permission_names_who_holds_it_and_only_staff_do() -> None:
    assert set(PERMISSIONS) == set(Permission)
    assert all(holders and holders <= set(STAFF) for holders in PERMISSIONS.values())
    assert set(STAFF) == set(Role) - {Role.CITIZEN, Role.TERMINAL, Role.SERVER}


@pytest.mark.parametrize("permission", Permission)
def test_may_is_the_table(permission: Permission) -> None:
    assert {role for role in Role if may(role, permission)} == PERMISSIONS[permission]


def test_only_an_officer_clears_attests_enrols_and_revokes() -> None:
    for permission in (
        Permission.CLEAR_QUARANTINE,
        Permission.ATTEST_WIPE,
        Permission.ENROL_TERMINAL,
        Permission.REVOKE_TERMINAL,
    ):
        assert PERMISSIONS[permission] == {Role.CITY_OFFICER}


def test_every_error_says_in_japanese_what_to_do_and_has_its_own_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ProtocolError)]
    assert len(kinds) >= 6
    for kind in kinds:
        assert kind.sentence.endswith("。")
        assert not kind.sentence.isascii()
        assert kind().code == kind.__name__
    assert len({kind.sentence for kind in kinds}) == len(kinds)


def test_every_report_that_a_step_makes_is_one_the_server_takes() -> None:
    made = {effect.event for row in TERMINAL_TABLE for effect in row.effects if effect.kind is EffectKind.REPORT}
    asked = {effect.kind for row in TERMINAL_TABLE for effect in row.effects} >= {EffectKind.BIND}
    assert asked
    assert {kind.value for kind in made if kind} | {"bind_card"} == {kind.value for kind in REPORTED}
    assert set(REPORT_FIELDS) == REPORTED


def test_a_report_carries_what_the_visit_table_demands() -> None:
    for row in VISIT_TABLE:
        if Role.TERMINAL in row.who:
            assert set(row.evidence) <= set(REPORT_FIELDS[row.event])


@pytest.mark.parametrize("kind", Confirmation)
def test_each_confirmation_needs_each_of_its_fields(kind: Confirmation) -> None:
    check_confirmation(confirmed(kind))
    assert set(GIVEN[kind]) == set(kind.demands)
    for name in kind.demands:
        for empty in ("", " ", "　", None):
            with pytest.raises(MissingEvidence, match=name):
                check_confirmation(confirmed(kind, **{name: empty}))


@pytest.mark.parametrize("same", ["支援員1", " 支援員1", "支援員1 "])
def test_one_person_is_not_two_witnesses(same: str) -> None:
    with pytest.raises(MissingEvidence):
        check_confirmation(confirmed(Confirmation.SPOKEN, staff_2=same))


@pytest.mark.parametrize(
    "given", [None, "signature", [], 5, {}, {"kind": "nod"}, {"kind": ["signature"]}, {"kind": {}}]
)
def test_what_is_no_confirmation(given: object) -> None:
    with pytest.raises(MissingEvidence):
        check_confirmation({"confirmation": given, "outcome": "completed"})


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.ABANDONED])
def test_an_outcome_other_than_completed_needs_a_listed_reason(outcome: Outcome) -> None:
    for reason in InterruptReason:
        check_confirmation({**confirmed(Confirmation.SIGNATURE), "outcome": outcome.value, "reason": reason.value})
    for wrong in (None, "", "tired", 5, ["other"]):
        with pytest.raises(MissingEvidence):
            check_confirmation({**confirmed(Confirmation.SIGNATURE), "outcome": outcome.value, "reason": wrong})
    with pytest.raises(MissingEvidence):
        check_confirmation({**confirmed(Confirmation.SIGNATURE), "outcome": "postponed"})


def test_a_completed_visit_needs_whose_name_was_shown() -> None:
    for answer in OwnName:
        check_confirmation(confirmed(Confirmation.SIGNATURE, own_name=answer.value))
    for wrong in (None, "", "mine", 5, ["own"]):
        with pytest.raises(MissingEvidence):
            check_confirmation(confirmed(Confirmation.SIGNATURE, own_name=wrong))


def test_the_protocol_document_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "protocol.md"
    assert written.read_text() == protocol_md(), "run: python -m madoguchi.protocol.document > docs/protocol.md"
