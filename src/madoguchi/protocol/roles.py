"""Who may do what: the only permission table. Server views, terminal and tests derive from it."""

from enum import StrEnum


class Role(StrEnum):
    """Everyone and everything that acts."""

    CITIZEN = "citizen"
    SUPPORTER = "supporter"
    CONTRACTOR_MANAGER = "contractor_manager"
    CITY_OFFICER = "city_officer"
    CALL_CENTRE = "call_centre"
    AUDITOR = "auditor"
    TERMINAL = "terminal"
    SERVER = "server"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _LABELS[self]


_LABELS = {
    Role.CITIZEN: "市民",
    Role.SUPPORTER: "支援員",
    Role.CONTRACTOR_MANAGER: "業務責任者",
    Role.CITY_OFFICER: "市職員",
    Role.CALL_CENTRE: "コールセンター",
    Role.AUDITOR: "監査担当",
    Role.TERMINAL: "端末",
    Role.SERVER: "サーバー",
}

STAFF = (Role.SUPPORTER, Role.CONTRACTOR_MANAGER, Role.CITY_OFFICER, Role.CALL_CENTRE, Role.AUDITOR)


class Permission(StrEnum):
    """One thing a page lets a person do."""

    SEE_BOARD = "see_board"
    ISSUE_TICKET = "issue_ticket"
    CALL_TICKET = "call_ticket"
    WITHDRAW_TICKET = "withdraw_ticket"
    ASK_END = "ask_end"
    CONFIRM_FOR_CITIZEN = "confirm_for_citizen"
    SEE_VISIT = "see_visit"
    CLEAR_QUARANTINE = "clear_quarantine"
    ATTEST_WIPE = "attest_wipe"
    ENROL_TERMINAL = "enrol_terminal"
    REVOKE_TERMINAL = "revoke_terminal"
    SEE_COUNTERS = "see_counters"
    EDIT_COUNTERS = "edit_counters"
    SEE_REJECTED = "see_rejected"
    MANAGE_STAFF = "manage_staff"
    SEE_EVIDENCE = "see_evidence"
    EXPORT_EVIDENCE = "export_evidence"
    SEE_PAYLOADS = "see_payloads"
    ERASE_PAYLOADS = "erase_payloads"


_COUNTER = frozenset({Role.SUPPORTER, Role.CONTRACTOR_MANAGER, Role.CITY_OFFICER})
_OFFICER = frozenset({Role.CITY_OFFICER})
_OVERSIGHT = frozenset({Role.CITY_OFFICER, Role.AUDITOR})

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    Permission.SEE_BOARD: _COUNTER | {Role.AUDITOR},
    Permission.ISSUE_TICKET: _COUNTER,
    Permission.CALL_TICKET: _COUNTER,
    Permission.WITHDRAW_TICKET: _COUNTER,
    Permission.ASK_END: _COUNTER,
    Permission.CONFIRM_FOR_CITIZEN: _COUNTER,
    Permission.SEE_VISIT: _COUNTER | {Role.AUDITOR},
    Permission.CLEAR_QUARANTINE: _OFFICER,
    Permission.ATTEST_WIPE: _OFFICER,
    Permission.ENROL_TERMINAL: _OFFICER,
    Permission.REVOKE_TERMINAL: _OFFICER,
    Permission.SEE_COUNTERS: frozenset(STAFF),
    Permission.EDIT_COUNTERS: _OFFICER,
    Permission.SEE_REJECTED: _OVERSIGHT,
    Permission.MANAGE_STAFF: frozenset({Role.CITY_OFFICER, Role.CONTRACTOR_MANAGER}),
    Permission.SEE_EVIDENCE: _OVERSIGHT,
    Permission.EXPORT_EVIDENCE: _OVERSIGHT,
    Permission.SEE_PAYLOADS: _OVERSIGHT,
    Permission.ERASE_PAYLOADS: _OFFICER,
}


def may(role: Role, permission: Permission) -> bool:
    """Whether the role holds the permission."""
    return role in PERMISSIONS[permission]
