"""Template filters: events and answers in words."""

from django import template

from madoguchi.protocol import InterruptReason
from madoguchi.server.ledger.payloads import readable
from madoguchi.server.ledger.types import LABELS
from madoguchi.server.visits import preflight
from madoguchi.server.visits.models import VisitEvent
from madoguchi.server.visits.words import event_in_words

register = template.Library()


@register.filter
def event_label(event: VisitEvent) -> str:
    """The Japanese label of an event."""
    return LABELS.get(event.kind, event.kind)


@register.filter
def event_words(event: VisitEvent) -> list[str]:
    """What an event says, as sentences."""
    return event_in_words(event.kind, event.body, readable)


@register.filter
def answered(record: dict[str, object]) -> list[tuple[str, str]]:
    """Question and answer of a preflight record."""
    answers = record.get("answers")
    given = answers if isinstance(answers, dict) else {}
    return [
        (question.text, preflight.Answer(given[question.name]).label)
        for question in preflight.QUESTIONS
        if given.get(question.name) in list(preflight.Answer)
    ]


@register.filter
def reason_label(word: str) -> str:
    """The label of an interruption's reason; a token's words; other words stay as they are."""
    return InterruptReason(word).label if word in list(InterruptReason) else readable(word)
