"""What all apps here share: session cookie, CSRF token, security headers, error pages."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from jinja2 import BytecodeCache, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from madoguchi.nation.errors import (
    CertificateStatusDown,
    FormExpired,
    InputMalformed,
    LogoutFailed,
    NationError,
    NotLoggedIn,
    SessionExpired,
    SiteDown,
    SiteUnreachable,
)

ROOM = Path(__file__).resolve().parent.parent
BACK_CHANNEL = ("/card/challenge/", "/card/answer/")
"""Paths that programs call, not browsers: JSON, no cookie, no form token; the challenge id is the key."""

MAX_BODY = 64 * 1024
_EXTENSION = "madoguchi"
_ASSETS = "/static"  # not by url_for: a request to a host that is not ours has no URL map, and still gets its page

_STATUS: Mapping[type[NationError], HTTPStatus] = {
    SiteDown: HTTPStatus.SERVICE_UNAVAILABLE,
    SiteUnreachable: HTTPStatus.BAD_GATEWAY,
    CertificateStatusDown: HTTPStatus.SERVICE_UNAVAILABLE,
    LogoutFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    SessionExpired: HTTPStatus.FORBIDDEN,
    NotLoggedIn: HTTPStatus.FORBIDDEN,
    FormExpired: HTTPStatus.FORBIDDEN,
    InputMalformed: HTTPStatus.UNPROCESSABLE_ENTITY,
}

_HTTP_SENTENCES = {
    HTTPStatus.NOT_FOUND: "そのページはありません。はじめのページからお進みください。",
    HTTPStatus.METHOD_NOT_ALLOWED: "この開き方はできません。はじめのページからお進みください。",
}


class _SharedTemplates(BytecodeCache):
    """Compiled templates, shared by all apps of the process: each app has an environment of its own."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = _SharedTemplates()


@dataclass(frozen=True)
class Shell:
    """What an app hands to the shell.

    `cookie`: its name, distinct per app because ports share cookies. `form_targets`: other addresses to which a posted
    form may lead on. `host`: the only Host name answered. `own_cookie`: the shell makes the cookie value itself (an
    app without sessions of a site). `back`: where the refusal page leads back to, by reason; default `/`.
    """

    name: str
    title: str
    cookie: str
    host: str
    own_cookie: bool
    form_targets: Sequence[str] = ()
    back: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)


def make_app(shell: Shell) -> Flask:
    """An app with security headers, CSRF check and error pages."""
    app = Flask(f"madoguchi.nation.{shell.name}", root_path=str(ROOM))
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, TRUSTED_HOSTS=[shell.host])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.bytecode_cache = _TEMPLATES
    app.extensions[_EXTENSION] = shell
    app.context_processor(
        lambda: {"site_title": shell.title, "app_name": shell.name, "csrf": csrf_field, "assets": _ASSETS}
    )
    app.before_request(_arrive)
    app.after_request(_depart)
    app.register_error_handler(NationError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    return app


def content_policy(form_targets: Sequence[str]) -> str:
    """No script at all; own style sheet only. Chromium holds redirects after a form to `form-action`, too."""
    targets = " ".join(["'self'", *(origin_of(url) for url in form_targets)])
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host name of an address, without the port."""
    return urlsplit(url).hostname or ""


def csrf_field() -> Markup:
    """The hidden field that every posted form carries."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(_token())


def typed(name: str) -> str:
    """One field of the posted form, without blanks around it."""
    return request.form.get(name, "").strip()


def _arrive() -> None:
    shell = _shell()
    g.cookie = request.cookies.get(shell.cookie)
    if shell.own_cookie and not g.cookie:
        g.cookie = secrets.token_urlsafe(24)
    guarded = request.method == "POST" and not request.path.startswith(BACK_CHANNEL)
    if guarded and not hmac.compare_digest(request.form.get("csrf", "").encode(), _token().encode()):
        raise FormExpired


def _depart(response: Response) -> Response:
    shell = _shell()
    response.headers.update(
        {
            "Content-Security-Policy": content_policy(shell.form_targets),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=()",
        }
    )
    if response.status_code == HTTPStatus.BAD_REQUEST:  # not our host: no cookie for it
        return response
    known, wanted = request.cookies.get(shell.cookie), g.get("cookie", None)
    if wanted and wanted != known:
        response.set_cookie(shell.cookie, wanted, httponly=True, samesite="Lax", path="/")
    if known and wanted is None:
        response.delete_cookie(shell.cookie, httponly=True, samesite="Lax", path="/")
    return response


def _refused(error: NationError) -> Response:
    status = _STATUS.get(type(error), HTTPStatus.CONFLICT)
    if request.path.startswith(BACK_CHANNEL):
        answer = jsonify({"reason": error.code, "sentence": error.sentence})
        answer.status_code = status
        return answer
    return refusal_page(error.code, error.sentence, status)


def refusal_page(code: str, sentence: str, status: HTTPStatus = HTTPStatus.CONFLICT) -> Response:
    """The page of a refusal: the reason, and what the person does next."""
    page = render_template("refused.html", code=code, sentence=sentence, back=_shell().back.get(code, "/"))
    return make_response(page, status)


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    sentence = _HTTP_SENTENCES.get(status, "ページを表示できません。窓口の職員に知らせてください。")
    return refusal_page(status.name.lower(), sentence, status)


def _token() -> str:
    return hmac.digest(_shell().secret, (g.get("cookie") or "").encode(), "sha256").hex()


def _shell() -> Shell:
    return cast(Shell, current_app.extensions[_EXTENSION])
