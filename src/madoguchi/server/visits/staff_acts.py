"""What staff can do on a visit's page: one entry per act, with its form and its service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest

from madoguchi.protocol import EventKind, InterruptReason, Outcome, OwnName, Permission
from madoguchi.server.accounts.models import Staff
from madoguchi.server.errors import SecondStaffUnknown
from madoguchi.server.visits import services
from madoguchi.server.visits.forms import AbsentForm, AttestForm, ReasonForm, SpokenForm
from madoguchi.server.visits.models import Visit

Do = Callable[[HttpRequest, Visit, Staff, dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its address, the event it asks for, who may, the words, the form, the service."""

    name: str
    kind: EventKind
    permission: Permission
    title: str
    english: str
    button: str
    done: str
    form: type[forms.Form]
    do: Do
    explanation: str = ""
    danger: bool = False

    def fields(self, data: Any = None) -> forms.Form:
        """Make the form; several stand on one page, so every id begins with the act's name."""
        return self.form(data, auto_id=f"{self.name}_%s")


def _return(_request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    return services.return_to_queue(visit=visit, staff=staff, reason=data["reason"])


def _withdraw(_request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    return services.withdraw(visit=visit, staff=staff, reason=data["reason"])


def _ask_end(_request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    return services.ask_end(visit=visit, staff=staff, reason=data["reason"])


def _attest(_request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    return services.attest_wipe(visit=visit, staff=staff, proof=data["proof"], reason=data["reason"])


def _result(data: dict[str, Any]) -> tuple[Outcome, InterruptReason | None]:
    """A completed visit has no reason for an interruption, whatever was left chosen in the form."""
    outcome = Outcome(data["outcome"])
    return outcome, None if outcome is Outcome.COMPLETED else InterruptReason(data["reason"])


def _spoken(request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    outcome, reason = _result(data)
    second = authenticate(request, username=data["second_username"], password=data["second_password"])
    if not isinstance(second, Staff):
        raise SecondStaffUnknown(data["second_username"])
    own_name = OwnName(data["own_name"]) if data["own_name"] else None
    return services.confirm_spoken(
        visit=visit, staff=staff, second=second, outcome=outcome, reason=reason, own_name=own_name
    )


def _absent(_request: HttpRequest, visit: Visit, staff: Staff, data: dict[str, Any]) -> object:
    outcome, reason = _result(data)
    return services.confirm_absent(visit=visit, staff=staff, why=data["why"], outcome=outcome, reason=reason)


ACTS = {
    act.name: act
    for act in (
        Act(
            "spoken",
            EventKind.CONFIRM,
            Permission.CONFIRM_FOR_CITIZEN,
            "口頭でログアウトを確認する(係員2人)",
            "Spoken confirmation, two staff",
            "記録して終了する",
            "ログアウト確認を記録し、対応を終了しました。",
            SpokenForm,
            _spoken,
            "市民が署名できないときに使います。係員2人で端末の画面を見て、市民に声で確かめてください。",
        ),
        Act(
            "absent",
            EventKind.CONFIRM,
            Permission.CONFIRM_FOR_CITIZEN,
            "市民がいないまま終了する",
            "The citizen has left",
            "記録して終了する",
            "ログアウト確認を記録し、対応を終了しました。",
            AbsentForm,
            _absent,
            "市民が席を離れて戻らないときに使います。端末の画面に何も残っていないことを、目で見てください。",
        ),
        Act(
            "ask-end",
            EventKind.ASK_END,
            Permission.ASK_END,
            "端末に終了を指示する",
            "Ask the terminal to end",
            "終了を指示する",
            "端末に終了を指示しました。端末が消去を始めるまで数秒かかります。",
            ReasonForm,
            _ask_end,
            "端末は画面を閉じ、消去を始めます。手続の途中でも終わります。",
            danger=True,
        ),
        Act(
            "return",
            EventKind.RETURN_TO_QUEUE,
            Permission.CALL_TICKET,
            "列に戻す",
            "Back to the queue",
            "列に戻す",
            "列に戻しました。",
            ReasonForm,
            _return,
            "呼んでも来ないときに使います。番号はそのまま残ります。",
        ),
        Act(
            "withdraw",
            EventKind.WITHDRAW,
            Permission.WITHDRAW_TICKET,
            "取りやめる",
            "Withdraw",
            "取りやめる",
            "取りやめにしました。",
            ReasonForm,
            _withdraw,
            "この番号は、もう呼べなくなります。",
            danger=True,
        ),
        Act(
            "attest",
            EventKind.ATTEST_WIPE,
            Permission.ATTEST_WIPE,
            "端末の撤去を確認する",
            "Attest that the machine was taken away",
            "撤去を確認する",
            "撤去を記録しました。端末の登録を取り消し、使わない設定にしました。",
            AttestForm,
            _attest,
            "消去をどうしても証明できないときだけ使います。端末の登録は取り消され、この端末は使えなくなります。",
            danger=True,
        ),
    )
}
