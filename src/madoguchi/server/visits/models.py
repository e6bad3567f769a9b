"""Visits and their record. States change only through `services`; the rules are repeated below, in the database."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from madoguchi.protocol import EndCause, EventKind, Outcome, Role, VisitState
from madoguchi.protocol import Visit as Snapshot
from madoguchi.protocol.messages import REPORTED
from madoguchi.protocol.states import OCCUPYING
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, ProcedureKind, Site, Terminal
from madoguchi.server.fields import choices, values
from madoguchi.server.ledger.types import OFFICE_EVENTS

_OPEN = sorted(values(OCCUPYING))
_SEEN_BY_TERMINAL = sorted(values(REPORTED - {EventKind.CONFIRM}))
_HELD = Q(terminal__isnull=False, lease__isnull=False)
_ENDED = Q(state__in=[VisitState.CONFIRMING.value, VisitState.CLOSED.value])


class DayCounter(models.Model):
    """The last ticket number given out at a site on a day."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT)
    day = models.DateField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "day"], name="one_counter_per_site_and_day")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.day}: {self.last}"


class Visit(models.Model):
    """One citizen's turn (来庁・対応). No name is kept: only the ticket, and the card's tag once a card was read.

    `proof`, `confirmation`: what closed the gate. `reason`: one of `InterruptReason`, or why it was withdrawn. Words
    that staff typed stand in all three as tokens of payloads (`ledger.payloads`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="visits")
    day = models.DateField()
    number = models.PositiveIntegerField()
    ticket = models.CharField(max_length=8)
    procedure = models.ForeignKey(ProcedureKind, on_delete=models.PROTECT, related_name="visits")
    preflight = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=choices(VisitState))
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, null=True, related_name="visits")
    lease = models.BigIntegerField(null=True)
    card_tag = models.CharField(max_length=64, null=True)  # noqa: DJ001 - None: no card was read yet
    cause = models.CharField(max_length=20, null=True, choices=choices(EndCause))  # noqa: DJ001 - None: not ended yet
    proof = models.JSONField(null=True)
    confirmation = models.JSONField(null=True)
    outcome = models.CharField(max_length=20, null=True, choices=choices(Outcome))  # noqa: DJ001 - None: not known yet
    reason = models.CharField(max_length=200, blank=True)
    end_asked = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    called_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["created_at", "number"]
        verbose_name = "来庁・対応"
        indexes: ClassVar = [
            models.Index(fields=["site", "state"], name="visit_site_state"),
            models.Index(fields=["card_tag"], name="visit_card_tag"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["terminal"], condition=Q(state__in=_OPEN), name="one_open_visit_per_terminal"
            ),
            models.UniqueConstraint(fields=["terminal", "lease"], name="one_visit_per_lease"),
            models.UniqueConstraint(fields=["site", "day", "number"], name="ticket_once_per_site_and_day"),
            models.CheckConstraint(condition=Q(state__in=values(VisitState)), name="visit_state_known"),
            models.CheckConstraint(condition=~Q(state__in=_OPEN) | _HELD, name="visit_open_holds_a_terminal"),
            models.CheckConstraint(
                condition=~Q(state=VisitState.WAITING.value)
                | Q(terminal__isnull=True, lease__isnull=True, card_tag__isnull=True),
                name="visit_waiting_holds_nothing",
            ),
            models.CheckConstraint(
                condition=~Q(state=VisitState.SERVING.value) | Q(card_tag__isnull=False), name="visit_serving_has_card"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[VisitState.ENDING.value, VisitState.CONFIRMING.value, VisitState.CLOSED.value])
                | Q(cause__in=values(EndCause)),
                name="visit_ended_has_cause",
            ),
            models.CheckConstraint(condition=~_ENDED | Q(proof__isnull=False), name="visit_wiped_before_confirming"),
            models.CheckConstraint(
                condition=~Q(state=VisitState.CLOSED.value)
                | Q(confirmation__isnull=False, closed_at__isnull=False, outcome__in=values(Outcome)),
                name="visit_confirmed_before_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.ticket

    @property
    def is_open(self) -> bool:
        """Whether the visit holds its terminal."""
        return VisitState(self.state) in OCCUPYING

    def snapshot(self) -> Snapshot:
        """What the protocol's machine remembers of this visit."""
        return Snapshot(
            VisitState(self.state),
            str(self.terminal_id) if self.terminal_id else None,
            self.lease,
            self.card_tag,
            self.cause,
            self.proof,
            self.confirmation,
            self.outcome,
        )


class VisitEvent(models.Model):
    """Everything that happened to a visit or, with no visit, to a terminal. Rows are never changed or deleted.

    A device's event keeps its signed `message` whole, so that `signature` can be checked again at any time; events of
    staff and server are signed by the server. `skew`: seconds, `at` minus `received_at`.
    """

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="events")
    seq = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=30)
    by = models.CharField(max_length=30, choices=choices(Role))
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, null=True, related_name="events")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True)
    lease = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    skew = models.FloatField(default=0.0)
    body = models.JSONField(default=dict)
    message_id = models.CharField(max_length=64, null=True)  # noqa: DJ001 - None: not from a device; must not collide
    message = models.JSONField(null=True)
    signature = models.CharField(max_length=100)
    training = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name = "記録"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["visit", "seq"], name="visit_event_numbered_once"),
            models.UniqueConstraint(fields=["device", "message_id"], name="message_kept_once"),
            models.CheckConstraint(
                condition=Q(kind__in=values(EventKind) + sorted(OFFICE_EVENTS)), name="visit_event_kind_known"
            ),
            models.CheckConstraint(condition=Q(by__in=values(Role)), name="visit_event_role_known"),
            models.CheckConstraint(
                condition=~Q(by=Role.TERMINAL.value)
                | Q(device__isnull=False, terminal__isnull=False, message__isnull=False, message_id__isnull=False),
                name="visit_event_of_terminal_has_message",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=_SEEN_BY_TERMINAL) | Q(by=Role.TERMINAL.value),
                name="visit_event_seen_by_the_terminal",
            ),
            models.CheckConstraint(
                condition=Q(by__in=[Role.TERMINAL.value, Role.SERVER.value]) | Q(staff__isnull=False),
                name="visit_event_of_staff_has_staff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M:%S}"


class RejectedMessage(models.Model):
    """A message that changed nothing and is kept as evidence (I6).

    `raw`: the token of the payload that holds the whole envelope as ASCII JSON (`ledger.payloads`).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="rejected")
    message_id = models.CharField(max_length=64, blank=True)
    raw = models.TextField()
    signature = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=60)
    sentence = models.CharField(max_length=200)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "受け付けなかった連絡"

    def __str__(self) -> str:
        return f"{self.reason} {self.received_at:%H:%M:%S}"


def ticket_text(letter: str, number: int) -> str:
    """`A-001`."""
    return f"{letter}-{number:03d}"
