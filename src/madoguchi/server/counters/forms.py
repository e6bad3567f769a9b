"""Forms for the counters' data."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms

from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import BringItem, HelpLine, ProcedureKind, Site, Terminal


class SiteForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A site."""

    class Meta:
        model = Site
        fields: ClassVar = ["name", "slug", "ticket_letter"]


class TerminalForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A terminal's name and place. A terminal with a visit on it stays where it is."""

    class Meta:
        model = Terminal
        fields: ClassVar = ["site", "name", "in_service"]

    def __init__(self, *args: Any, staff: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = Site.objects.all() if staff.site_id is None else Site.objects.filter(pk=staff.site_id)
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]  # a model choice field


class ProcedureForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A procedure kind."""

    start_url = forms.URLField(label="最初のページ", max_length=300, assume_scheme="https")
    logout_url = forms.URLField(label="ログアウトのページ", max_length=300, assume_scheme="https")

    class Meta:
        model = ProcedureKind
        fields: ClassVar = [
            "label",
            "label_en",
            "code",
            "start_url",
            "logout_url",
            "allowed",
            "active_from",
            "active_until",
            "needs_certificate",
            "needs_pin",
            "needs_own_name",
            "guardian_possible",
            "wait_after_renewal",
            "position",
        ]
        widgets: ClassVar = {
            "active_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "active_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "allowed": forms.Textarea(attrs={"rows": 3}),
        }

    def clean_allowed(self) -> str:
        """One origin (scheme and host) per line: a path here would promise a limit that the box does not hold."""
        lines = [line.strip().rstrip("/") for line in self.cleaned_data["allowed"].splitlines() if line.strip()]
        if any(not _is_origin(line) for line in lines):
            raise forms.ValidationError("1行に1つ、https://example.go.jp の形で書いてください。")
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        """The pages of the procedure must be among the origins that the box may reach."""
        data: dict[str, Any] = super().clean() or {}
        origins = str(data.get("allowed") or "").splitlines()
        for name in ("start_url", "logout_url"):
            if data.get(name) and origins and _origin(data[name]) not in origins:
                self.add_error(name, "このページのサイトを「開いてよいサイト」にも書いてください。")
        begin, end = data.get("active_from"), data.get("active_until")
        if begin and end and end < begin:
            self.add_error("active_until", "受付終了日は、受付開始日より後にしてください。")
        return data


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and _origin(text) == text


BringFormSet = forms.inlineformset_factory(
    ProcedureKind, BringItem, fields=["label", "note", "required", "position"], extra=2, can_delete_extra=False
)


class HelpLineForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A help line."""

    class Meta:
        model = HelpLine
        fields: ClassVar = ["name", "number", "keys", "subject", "position"]


class EnrolForm(forms.Form):
    """Before a code is issued."""

    old_machine_off = forms.BooleanField(
        label="今までの機械の電源が切れていることを確かめました(前の方の対応が残っているときだけ必要)", required=False
    )
