"""Login, password, staff."""

from django.contrib import messages
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET, require_http_methods

from madoguchi.protocol import Permission
from madoguchi.server.accounts.forms import LoginForm, StaffForm
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import needs, staff_of
from madoguchi.server.accounts.services import manageable, save_staff
from madoguchi.server.errors import NotYours


class Login(auth.LoginView):
    """The login page."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True


class PasswordChange(auth.PasswordChangeView):
    """One's own password."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: "auth.PasswordChangeForm") -> HttpResponse:  # type: ignore[name-defined,unused-ignore]
        """Say that it worked."""
        messages.success(self.request, "パスワードを変えました。")
        return super().form_valid(form)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Each role's first page."""
    staff = staff_of(request)
    if not staff.may(Permission.SEE_BOARD):
        return redirect("counters")
    return redirect("board", staff.site.slug) if staff.site else redirect("sites")


@require_GET
@needs(Permission.MANAGE_STAFF)
def staff_list(request: HttpRequest) -> HttpResponse:
    """The accounts that the person manages."""
    by = staff_of(request)
    rows = Staff.objects.select_related("site").filter(role__in=[role.value for role in manageable(by)])
    if by.site_id is not None:
        rows = rows.filter(site_id=by.site_id)
    return render(request, "accounts/staff.html", {"people": rows})


@require_http_methods(["GET", "POST"])
@needs(Permission.MANAGE_STAFF)
def staff_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new or changed account."""
    by = staff_of(request)
    person = _person(by, pk) if pk else None
    form = StaffForm(request.POST or None, instance=person, by=by)
    if request.method == "POST" and form.is_valid():
        saved = save_staff(person=form.save(commit=False), password=form.cleaned_data["password"], by=by)
        messages.success(request, f"係員「{saved}」を保存しました。")
        return redirect("staff")
    values = {"form": form, "title": "係員", "back": "staff", "new": person is None}
    return render(request, "counters/edit.html", values, status=400 if form.errors else 200)


def _person(by: Staff, pk: int) -> Staff:
    """An account of another site, or of a role that is not managed, does not exist for this person."""
    found = Staff.objects.filter(pk=pk, role__in=[role.value for role in manageable(by)]).first()
    if found is None or (by.site_id is not None and found.site_id != by.site_id):
        raise NotYours(str(pk))
    return found


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Too many wrong passwords."""
    sentence = "ログインに続けて失敗したため、しばらく使えません。15分待ってから、もう一度お試しください。"
    return render(request, "office/refused.html", {"sentence": sentence, "code": "LockedOut"}, status=429)
