"""The desk page: what the person at the terminal sees and does, served on loopback only.

Every answer: no-store, a strict content security policy, only for the terminal's own host names. Every form and
every call that changes something: the token of this agent process and the lease of the visit it is about, so that a
page left over from the person before changes nothing. Nothing is answered as done before it is in the journal; sending
the same form twice is harmless.
"""

import hmac
import logging
import secrets
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from madoguchi.protocol import EndCause, Event, EventKind, OwnName, ProtocolError, Role, TerminalState
from madoguchi.terminal import texts
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.deskmemory import Call, DeskMemory
from madoguchi.terminal.deskpage import key_of, left, render
from madoguchi.terminal.errors import (
    AgentBusy,
    ClosedElsewhere,
    ForeignForm,
    ForeignHost,
    FormIncomplete,
    JournalBroken,
    RelayRefused,
    TerminalError,
    place_of,
)
from madoguchi.terminal.forms import read_confirmation, read_number, read_text, wrong_fields
from madoguchi.terminal.ports import Screen
from madoguchi.terminal.presence import IN_USE

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STATUS: dict[type[Exception], int] = {
    FormIncomplete: 400,
    ForeignForm: 403,
    RelayRefused: 403,
    ClosedElsewhere: 409,
    ProtocolError: 409,
    ForeignHost: 421,
    AgentBusy: 503,
    JournalBroken: 503,
}
_log = logging.getLogger(__name__)
_MOST_BYTES = 2_000_000

desk = Blueprint("desk", __name__, template_folder="templates", static_folder="static", static_url_path="/static")


def create_desk(agent: Agent) -> Flask:
    """The desk page of one agent, as a WSGI application."""
    app = Flask("madoguchi.terminal", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _MOST_BYTES
    app.extensions["agent"] = agent
    app.extensions["token"] = secrets.token_urlsafe(32)
    app.extensions["memory"] = DeskMemory()
    app.before_request(_check_host)
    app.after_request(_harden)
    app.register_error_handler(TerminalError, _refused)
    app.register_error_handler(ProtocolError, _refused)
    app.register_error_handler(HTTPException, _http_refused)
    app.register_error_handler(Exception, _unforeseen)
    app.register_blueprint(desk)
    return app


@desk.get("/")
def page() -> str:
    """The page of the terminal's present state."""
    return _page()


@desk.get("/status.json")
def status() -> Response:
    """What changes without a new page. `key` changes when the page does."""
    agent = _agent()
    now = agent.status()
    _memory().forget_others(now)
    return jsonify(
        key=key_of(now),
        grace_left=left(agent, now.grace_deadline),
        idle_left=left(agent, now.idle_deadline),
        relay=now.relay,
        notices=[notice.sentence for notice in now.notices],
        card_present=now.card_present,
    )


@desk.post("/finish")
def finish() -> Any:
    """End the visit. A second press finds nothing to end, and that is fine."""
    _check_form()
    lease = _this_visit()
    if _agent().status().terminal.state in IN_USE:
        _agent().ask(Event(EventKind.END, Role.CITIZEN, lease, {"cause": EndCause.FINISH.value}))
    return _done()


@desk.post("/stay")
def stay() -> Any:
    """Say that somebody is still there."""
    _check_form()
    _this_visit()
    _agent().touch()
    return _done()


@desk.post("/manner")
def manner() -> Any:
    """Take the person's language, size, contrast or readings; what is filled in of a form stays."""
    _check_form()
    lease = _this_visit()
    _keep_draft(lease)
    _agent().manners.choose(lease, _agent().status().manner.changed(request.form))
    _agent().touch()
    return _done()


@desk.post("/draft")
def draft() -> Any:
    """Keep what is filled in so far, for a page that is loaded again."""
    _check_form()
    _keep_draft(_this_visit())
    return Response(status=204)


@desk.post("/confirm")
def confirm() -> Any:
    """Keep the confirmation; answered only when it is in the journal.

    The form names its lease: sent again after it was kept, it changes nothing and is answered as kept.
    """
    _check_form()
    agent, lease = _agent(), _lease()
    if agent.confirmed(lease):
        return _done()
    if agent.status().terminal.state is not TerminalState.CONFIRMING or agent.status().visit.lease != lease:
        raise ClosedElsewhere(str(lease))
    _keep_draft(lease)
    before = agent.status()
    checked = read_confirmation(request.form, lease=lease)
    try:
        agent.ask(checked.event, payload=checked.payload)
    except ProtocolError:
        if not agent.confirmed(lease):
            raise
    if checked.event.body["confirmation"].get("own_name") == OwnName.OTHER.value:
        _memory().call(Call(lease, before.visit.ticket, before.manner))
    return _done()


@desk.get("/relay/frame.jpg")
def relay_frame() -> Response:
    """The box's screen now. Raises `RelayRefused`."""
    picture = _screen().frame()
    if picture is None:
        return Response(status=204)
    return Response(picture, mimetype="image/jpeg")


@desk.post("/relay/input")
def relay_input() -> Response:
    """Pass one action on to the box's screen: `{"kind": "click" | "scroll" | "key" | "text", …}`."""
    _check_form()
    _this_visit()
    screen = _screen()
    given = request.get_json()
    if not isinstance(given, dict):
        raise FormIncomplete("body")
    _pass_on(screen, given)
    _agent().touch()
    return Response(status=204)


def _pass_on(screen: Screen, given: dict[str, Any]) -> None:
    match given.get("kind"):
        case "key":
            screen.key(read_text(given, "key", longest=40))
        case "text":
            screen.text(read_text(given, "text", longest=500))
        case "click" | "scroll" as kind:
            width, height = screen.size
            x = read_number(given, "x", least=0, most=width - 1)
            y = read_number(given, "y", least=0, most=height - 1)
            if kind == "click":
                screen.click(x, y, read_number(given, "button", least=1, most=3))
            else:
                screen.scroll(x, y, read_number(given, "steps", least=-50, most=50))
        case _:
            raise FormIncomplete("kind")


def _screen() -> Screen:
    screen = _agent().screen()
    if screen is None:
        raise RelayRefused("no picture to pass on")
    return screen


def _agent() -> Agent:
    agent: Agent = current_app.extensions["agent"]
    return agent


def _memory() -> DeskMemory:
    memory: DeskMemory = current_app.extensions["memory"]
    return memory


def _page(*, trouble: str = "", wrong: tuple[str, ...] = ()) -> str:
    agent, memory = _agent(), _memory()
    now = agent.status()
    memory.forget_others(now)
    return render(
        agent,
        now,
        token=current_app.extensions["token"],
        given={**memory.given(now.visit.lease), **(request.form if _is_of(now.visit.lease) else {})},
        trouble=trouble,
        wrong=wrong,
        call=memory.called(),
    )


def _is_of(lease: int) -> bool:
    return request.form.get("lease") == str(lease)


def _keep_draft(lease: int) -> None:
    if _agent().status().terminal.state is TerminalState.CONFIRMING:
        _memory().keep(lease, request.form)


def _this_visit() -> int:
    """The lease named by the form, if that visit is still here. Raises `ClosedElsewhere`, `FormIncomplete`."""
    lease, now = _lease(), _agent().status().visit
    if not now.visit or now.lease != lease:
        raise ClosedElsewhere(str(lease))
    return lease


def _lease() -> int:
    try:
        return int(request.headers.get("X-Desk-Lease") or request.form.get("lease", ""))
    except ValueError as error:
        raise FormIncomplete("lease") from error


def _check_host() -> None:
    if request.host not in _own_hosts():
        raise ForeignHost("not a name of this terminal")


def _own_hosts() -> set[str]:
    port = _agent().config.desk_port
    return {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}


def _check_form() -> None:
    origin = request.headers.get("Origin")
    given = request.headers.get("X-Desk-Token") or request.form.get("token", "")
    if origin is not None and origin.removeprefix("http://") not in _own_hosts():
        raise ForeignForm("another origin")
    if not hmac.compare_digest(given.encode(), current_app.extensions["token"].encode()):
        raise ForeignForm("wrong token")


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _done() -> Any:
    return jsonify(done=True) if _wants_json() else redirect(url_for("desk.page"), 303)


def _refused(error: TerminalError | ProtocolError) -> Any:
    code = next((number for kind, number in _STATUS.items() if isinstance(error, kind)), 500)
    if _wants_json():
        named = {"field": error.field} if isinstance(error, FormIncomplete) else {}
        return jsonify(code=error.code, sentence=error.sentence, **named), code
    if isinstance(error, ForeignHost):
        return Response(error.sentence, status=code, mimetype="text/plain")
    wrong = wrong_fields(request.form) if request.endpoint == "desk.confirm" else ()
    say = texts.Saying(_agent().status().manner)
    return _page(trouble=texts.trouble_of(say, error), wrong=wrong if isinstance(error, FormIncomplete) else ()), code


def _http_refused(error: HTTPException) -> Any:
    return Response(f"{error.code} {error.name}\n", status=error.code, mimetype="text/plain")


def _unforeseen(error: Exception) -> Any:
    # logged without its text: what a person typed may stand in it
    _log.warning("desk: %s", place_of(error))
    return _refused(AgentBusy("unforeseen"))


def _harden(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response
