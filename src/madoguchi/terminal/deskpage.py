"""From the agent's picture to one page of the desk: pure, apart from rendering."""

from collections.abc import Mapping

from flask import render_template
from markupsafe import Markup

from madoguchi.protocol import Confirmation, EndCause, InterruptReason, Outcome, OwnName
from madoguchi.terminal import texts
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.deskmemory import Call
from madoguchi.terminal.languages import LANGUAGES, catalogue
from madoguchi.terminal.manner import SIZES
from madoguchi.terminal.status import Status, View

KEEP_STILL = frozenset({View.CONFIRMING})
"""Views with a form: never reloaded by themselves."""

_UNATTENDED = frozenset({View.STARTING, View.CANNOT_SERVE, View.LOCKED, View.QUARANTINED})
"""Views that belong to nobody: nothing to choose there."""


def render(
    agent: Agent,
    now: Status,
    *,
    token: str,
    given: Mapping[str, str],
    trouble: str = "",
    wrong: tuple[str, ...] = (),
    call: Call | None = None,
) -> str:
    """The page. `given`: what the form held; `trouble`: why it was refused; `wrong`: its fields that are to be seen to.

    `call`: staff are to come for the visit that has just closed.
    """
    say = texts.Saying(now.manner)
    idle, grace = left(agent, now.idle_deadline), left(agent, now.grace_deadline)
    return render_template(
        "desk/page.html",
        now=now,
        say=say,
        view=now.view.value,
        heading=texts.heading_of(now.view),
        more=texts.more_of(now.view),
        key=key_of(now),
        token=token,
        still=now.view in KEEP_STILL,
        choosing=now.view not in _UNATTENDED,
        catalogues=[catalogue(language) for language in LANGUAGES],
        sizes=SIZES,
        cause=texts.cause_of(EndCause(now.visit.cause)) if now.visit.cause else "",
        proof=texts.proof_lines(say, now.visit.proof) if now.visit.proof else [],
        idle_left=idle,
        idle_text=say("act.idle", seconds=_seconds("idle-left", idle)),
        grace_text=say("act.seconds_left", seconds=_seconds("grace-left", grace)),
        outcomes=[member.value for member in Outcome],
        reasons=[member.value for member in InterruptReason],
        own_names=[member.value for member in OwnName],
        kinds=[member.value for member in Confirmation],
        absences=texts.ABSENT_REASONS,
        trouble=trouble,
        wrong=wrong,
        call=call if now.view is View.LOCKED else None,
        calling=texts.Saying(call.manner) if call else say,
        terminal=agent.credentials,
        given=given,
        screen=agent.screen(),
    )


def key_of(now: Status) -> str:
    """Changes when another page is to be shown."""
    about: list[object] = [now.view, now.visit.lease, now.visit.visit]
    if now.view not in KEEP_STILL:
        about += [now.card_lying, now.relay, len(now.missing), *now.manner.to_json().values()]
    return ".".join(str(part) for part in about)


def left(agent: Agent, deadline: float | None) -> int | None:
    """Seconds until a deadline on the agent's clock."""
    return None if deadline is None else max(0, round(deadline - agent.clock.monotonic()))


def _seconds(place: str, seconds: int | None) -> Markup:
    return Markup('<strong id="{}" class="number">{}</strong>').format(place, seconds or 0)
