"""Forms for logins and staff."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm

from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.services import manageable
from madoguchi.server.counters.models import Site
from madoguchi.server.fields import choices


class LoginForm(AuthenticationForm):
    """Login name and password."""

    error_messages = {  # noqa: RUF012 - Django declares it for the instance
        "invalid_login": "ログイン名かパスワードが違います。もう一度入力してください。",
        "inactive": "このログインは使えません。業務責任者か市職員に知らせてください。",
    }


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """An account. The password is set by whoever makes it, and changed by its owner."""

    password = forms.CharField(
        label="パスワード",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="12文字以上。空欄のときは変えません。",
    )

    class Meta:
        model = Staff
        fields: ClassVar = ["username", "display_name", "role", "site", "is_active"]

    def __init__(self, *args: Any, by: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(label="役割", choices=choices(manageable(by)))
        if by.site_id is not None:
            self.fields["site"].queryset = Site.objects.filter(pk=by.site_id)  # type: ignore[attr-defined]
            self.fields["site"].required = True
        self.fields["password"].required = self.instance.pk is None
        # The record names it: a changed one would no longer be the person who acted.
        self.fields["username"].disabled = self.instance.pk is not None

    def clean_password(self) -> str:
        """As strong as the rules ask."""
        password: str = self.cleaned_data["password"]
        if password:
            password_validation.validate_password(password, self.instance)
        return password
