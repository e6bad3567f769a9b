"""Forms of the evidence pages."""

from datetime import timedelta
from typing import Any

from django import forms

from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Site, Terminal
from madoguchi.server.ledger.pages_search import TICKET
from madoguchi.server.ledger.types import LABELS

LONGEST_SEARCH = timedelta(days=92)
_LONGEST_NOTE = 100_000
_CHOOSE = "チェックポイントのファイルを選んでください。"
_NO_DAY = "日付を選んでください。"


def _day(label: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    errors = {"required": _NO_DAY, "invalid": _NO_DAY}
    return forms.DateField(label=label, widget=widget, error_messages=errors)


class PeriodForm(forms.Form):
    """From a day to a day, both included."""

    begin = _day("はじめの日")
    end = _day("おわりの日")

    def clean(self) -> dict[str, Any]:
        """The end is not before the beginning."""
        data: dict[str, Any] = super().clean() or {}
        begin, end = data.get("begin"), data.get("end")
        if begin and end and end < begin:
            self.add_error("end", "おわりの日を、はじめの日以後にしてください。")
        return data


class SearchForm(PeriodForm):
    """What to look for. The choices are those of the person's own site."""

    ticket = forms.CharField(
        label="受付番号",
        required=False,
        max_length=8,
        help_text="例: A-012",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label="できごと", required=False, choices=[("", "すべて"), *LABELS.items()])
    terminal = forms.ModelChoiceField(
        label="端末", required=False, queryset=Terminal.objects.none(), empty_label="すべて"
    )
    staff = forms.ModelChoiceField(label="係員", required=False, queryset=Staff.objects.none(), empty_label="すべて")
    position = forms.IntegerField(
        label="記録の通し番号",
        required=False,
        min_value=0,
        max_value=2**62,
        help_text="入れると、日付などにかかわらず、その記録を開きます。",
        error_messages={"invalid": "数字を入れてください。", "min_value": "0以上の数字を入れてください。"},
    )

    def __init__(self, staff: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        terminals, people = Terminal.objects.select_related("site"), Staff.objects.all()
        if staff.site_id is not None:
            terminals, people = terminals.filter(site_id=staff.site_id), people.filter(site_id=staff.site_id)
        self.fields["terminal"].queryset = terminals  # type: ignore[attr-defined]  # a model choice field
        self.fields["staff"].queryset = people  # type: ignore[attr-defined]  # see above

    def clean_ticket(self) -> str:
        """`A-012`, however it was typed."""
        text = str(self.cleaned_data["ticket"]).strip().upper()
        if text and not TICKET.fullmatch(text):
            raise forms.ValidationError("受付番号は「A-012」の形で入れてください。")
        return text

    def clean(self) -> dict[str, Any]:
        """A period that is searched in one go."""
        data = super().clean()
        begin, end = data.get("begin"), data.get("end")
        if begin and end and end - begin > LONGEST_SEARCH:
            self.add_error("end", f"期間は{LONGEST_SEARCH.days}日までにしてください。")
        return data


class AnchorForm(forms.Form):
    """An old checkpoint: its text, or the file."""

    note = forms.CharField(
        label="チェックポイントの文字",
        required=False,
        max_length=_LONGEST_NOTE,
        widget=forms.Textarea({"rows": 7, "autocomplete": "off", "spellcheck": "false"}),
        help_text="紙のQRコードを読み取った文字を、行の並びのまま全部貼ってください。",
    )
    file = forms.FileField(label="またはファイル(.note)", required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        """One of the two; `text` is what was given."""
        data: dict[str, Any] = super().clean() or {}
        file = data.get("file")
        text = _decoded(file) if file else str(data.get("note") or "").strip()
        if not text and not self.errors:
            raise forms.ValidationError("チェックポイントの文字を貼るか、ファイルを選んでください。")
        return data | {"text": text}


def _decoded(file: Any) -> str:
    if file.size > _LONGEST_NOTE:
        raise forms.ValidationError(f"大きすぎるファイルです。{_CHOOSE}")
    try:
        return str(file.read().decode())
    except UnicodeDecodeError as error:
        raise forms.ValidationError(
            "文字のファイルではありません。チェックポイントのファイルを選んでください。"
        ) from error


class ExportForm(forms.Form):
    """Whether the personal contents go along."""

    disclose = forms.BooleanField(
        label="署名の筆跡や、職員が書いた言葉など、個人に関する内容も入れる",
        required=False,
        help_text="印を付けなければ、内容を含まずに検証できる束になります。入れたときは、持ち出す先をよく確かめてください。",
    )


class RangeExportForm(ExportForm):
    """The whole log, or a period."""

    what = forms.ChoiceField(
        label="書き出すもの",
        choices=[("whole", "全体"), ("period", "期間")],
        widget=forms.RadioSelect,
        initial="whole",
        error_messages={"required": "どちらかを選んでください。"},
    )
    begin = _day("はじめの日(期間のとき)")
    end = _day("おわりの日(期間のとき)")
    field_order = ("what", "begin", "end", "disclose")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["begin"].required = self.fields["end"].required = False

    def clean(self) -> dict[str, Any]:
        """A period has two days in order."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("what") != "period":
            return data
        for name in ("begin", "end"):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, _NO_DAY)
        if data.get("begin") and data.get("end") and data["end"] < data["begin"]:
            self.add_error("end", "おわりの日を、はじめの日以後にしてください。")
        return data


class DailyForm(forms.Form):
    """Which site's day."""

    site = forms.ModelChoiceField(label="拠点", queryset=Site.objects.none(), to_field_name="slug", empty_label=None)
    day = _day("日")

    def __init__(self, staff: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = Site.objects.all() if staff.site_id is None else Site.objects.filter(pk=staff.site_id)
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]  # a model choice field
        self.fields["day"].initial = clock.today()
