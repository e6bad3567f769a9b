"""Who may do what, derived from `protocol.roles.PERMISSIONS`; foreign sites do not exist (404), the rest is 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponseBase

from madoguchi.protocol import Permission
from madoguchi.server.accounts.models import Staff
from madoguchi.server.errors import Forbidden, NotYours

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def require(*, staff: Staff, permission: Permission, site_id: int | None = None) -> None:
    """Raises `NotYours` for a thing of another site, `Forbidden` without the permission. `site_id` None: no site."""
    if site_id is not None and not staff.sees(site_id):
        raise NotYours(f"{staff.username}: site {site_id}")
    if not staff.may(permission):
        raise Forbidden(f"{staff.username} lacks {permission}")


def needs(permission: Permission) -> Callable[[View], View]:
    """The view asks for this permission; `permission` can be read back from the view (URL matrix)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(staff=staff_of(request), permission=permission)
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]  # read by the permission matrix
        return cast(View, checked)

    return decorate


def staff_of(request: HttpRequest) -> Staff:
    """The logged-in staff member. The login middleware has seen to it that there is one."""
    if not isinstance(request.user, Staff):
        raise Forbidden("nobody is logged in")
    return request.user


def context(request: HttpRequest) -> dict[str, Any]:
    """For templates: `can.see_board` … of the person logged in."""
    user = getattr(request, "user", None)
    can = {p.value: isinstance(user, Staff) and user.may(p) for p in Permission}
    return {"can": can}
