"""Forms of the counter. A citizen's name is never asked."""

from typing import Any
from uuid import uuid4

from django import forms

from madoguchi.protocol import InterruptReason, Outcome, OwnName
from madoguchi.server.counters.models import BringItem, ProcedureKind
from madoguchi.server.fields import choices
from madoguchi.server.visits import preflight

NO_NAMES = "名前や番号は書かないでください。"


class ReceptionForm(forms.Form):
    """The preflight questions of one procedure and its bring list."""

    bring = forms.ModelMultipleChoiceField(
        label="持っているものに印を付けてください",
        queryset=BringItem.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    told = forms.BooleanField(required=False, label="説明しました。それでも受け付けます")

    def __init__(self, procedure: ProcedureKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.procedure = procedure
        self.fields["bring"].queryset = procedure.bring.all()  # type: ignore[attr-defined]  # a model choice field
        self._questions = preflight.questions(procedure)
        for question in self._questions:
            self.fields[question.name] = forms.ChoiceField(
                label=question.text,
                help_text=question.english,
                choices=choices(preflight.Answer),
                widget=forms.RadioSelect,
                error_messages={"required": "どれか1つを選んでください。"},
            )
        self.order_fields([question.name for question in self._questions])

    @property
    def answers(self) -> dict[str, str]:
        """The answers given, by question."""
        return {question.name: self.cleaned_data[question.name] for question in self._questions}

    def advice(self) -> tuple[preflight.Advice, ...]:
        """What the answers mean. Only after `is_valid`."""
        have = {item.pk for item in self.cleaned_data["bring"]}
        missing = [item for item in self.procedure.bring.all() if item.pk not in have]
        return preflight.advice(procedure=self.procedure, answers=self.answers, missing=missing)

    def record(self) -> dict[str, Any]:
        """What is kept with the ticket."""
        return preflight.to_record(
            answers=self.answers,
            bring=self.procedure.bring.all(),
            brought=self.cleaned_data["bring"],
            told=self.advice(),
        )


class ReasonForm(forms.Form):
    """Why: for withdrawing, sending back, ending, clearing, revoking."""

    reason = forms.CharField(
        label="理由",
        max_length=120,
        help_text=NO_NAMES,
        error_messages={"required": "理由を書いてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AttestForm(ReasonForm):
    """What was done with the machine."""

    proof = forms.CharField(
        label="端末をどうしたか",
        max_length=200,
        help_text="例: 電源を切り、記憶装置を外して保管した",
        error_messages={"required": "端末をどうしたかを書いてください。"},
    )
    field_order = ("proof", "reason")


class OutcomeForm(forms.Form):
    """How the visit came out; anything but completed needs a reason."""

    outcome = forms.ChoiceField(
        label="結果",
        choices=choices(Outcome),
        widget=forms.RadioSelect,
        error_messages={"required": "結果を選んでください。"},
    )
    reason = forms.ChoiceField(
        label="中断・離席の理由", choices=[("", "(完了のときは選ばない)"), *choices(InterruptReason)], required=False
    )

    def clean(self) -> dict[str, Any]:
        """The reason belongs to the outcome."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("outcome") not in (None, Outcome.COMPLETED.value) and not data.get("reason"):
            self.add_error("reason", "中断・離席のときは、理由を選んでください。")
        return data


class SpokenForm(OutcomeForm):
    """The citizen said before two staff that the screen is logged out; the second one shows that they were there."""

    own_name = forms.ChoiceField(
        label="最後の画面に出ていた名前(完了のとき)",
        choices=[("", "(完了のときに選ぶ)"), *choices(OwnName)],
        required=False,
        help_text="国のサイトの最後の画面に自分の名前が出ていたかを、市民に聞いてください。",
    )
    second_username = forms.CharField(
        label="もう1人の係員のログイン名",
        max_length=60,
        error_messages={"required": "もう1人の係員に入力してもらってください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    second_password = forms.CharField(
        label="もう1人の係員のパスワード",
        strip=False,
        error_messages={"required": "もう1人の係員に入力してもらってください。"},
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    field_order = ("outcome", "reason", "own_name", "second_username", "second_password")

    def clean(self) -> dict[str, Any]:
        """Who has completed a procedure says whose name the last screen showed."""
        data = super().clean()
        if data.get("outcome") == Outcome.COMPLETED.value and not data.get("own_name"):
            self.add_error("own_name", "完了のときは、最後の画面の名前について選んでください。")
        return data


class AbsentForm(OutcomeForm):
    """The citizen has left; a member of staff looked at the screen."""

    why = forms.CharField(
        label="市民がいない理由",
        max_length=120,
        help_text=NO_NAMES,
        error_messages={"required": "市民がいない理由を書いてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
