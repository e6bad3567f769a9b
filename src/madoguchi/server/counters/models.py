"""Sites, terminals and their machines, procedure kinds, bring lists, help lines: all of it editable data."""

import uuid
from datetime import date
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from madoguchi.protocol import Procedure, TerminalState
from madoguchi.server import clock
from madoguchi.server.fields import choices

_letter = RegexValidator(r"\A[A-Z]\Z", "A から Z の1文字を入れてください。")


class Site(models.Model):
    """A place with counters. `ticket_letter` stands before its ticket numbers. `training`: of the training city."""

    name = models.CharField("名前", max_length=60, unique=True)
    slug = models.SlugField("アドレス用の名前", max_length=40, unique=True, help_text="半角の英数字とハイフン。")
    ticket_letter = models.CharField("受付番号の文字", max_length=1, unique=True, validators=[_letter])
    training = models.BooleanField("訓練用", default=False, editable=False)

    class Meta:
        ordering: ClassVar = ["ticket_letter"]
        verbose_name = "拠点"

    def __str__(self) -> str:
        return self.name


class Terminal(models.Model):
    """A seat with a screen and a card reader.

    `lease` only grows; each call takes the next. `state` is what the terminal last said of itself. `quarantined`: the
    last wipe could not be proven; `cleared`: an officer has allowed another wipe. `clock_skew`: seconds, terminal
    minus server, at the last word. `training`: the terminal runs without a real box or reader.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, verbose_name="拠点", on_delete=models.PROTECT, related_name="terminals")
    name = models.CharField("名前", max_length=40)
    lease = models.BigIntegerField("リース", default=0, editable=False)
    state = models.CharField(
        "状態", max_length=20, choices=choices(TerminalState), default=TerminalState.LOCKED.value, editable=False
    )
    quarantined = models.BooleanField("使用停止", default=False, editable=False)
    cleared = models.BooleanField("停止解除の指示", default=False, editable=False)
    in_service = models.BooleanField("使う", default=True)
    last_seen = models.DateTimeField("最後の連絡", null=True, editable=False)
    clock_skew = models.FloatField("時計のずれ", default=0.0, editable=False)
    training = models.BooleanField("訓練", default=False, editable=False)
    version = models.CharField("ソフトの版", max_length=40, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["site__ticket_letter", "name"]
        verbose_name = "端末"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "name"], name="terminal_name_once_per_site"),
            models.CheckConstraint(condition=Q(lease__gte=0), name="terminal_lease_counts_up"),
            models.CheckConstraint(condition=Q(state__in=list(TerminalState)), name="terminal_state_known"),
            models.CheckConstraint(
                condition=Q(cleared=False) | Q(quarantined=True), name="terminal_cleared_only_when_quarantined"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site.name} {self.name}"


class Device(models.Model):
    """One machine enrolled as a terminal; `public_key` (base64) checks what it signs. `last_seq`: its last message."""

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="devices")
    public_key = models.CharField(max_length=64)
    enrolled_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["terminal"], condition=Q(revoked_at__isnull=True), name="one_device_per_terminal"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.terminal_id} #{self.pk}"


class DeviceToken(models.Model):
    """A bearer token of a device; only its hash is kept. The first use of a newer one ends the older ones."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    first_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.device_id} #{self.pk}"


class EnrolmentCode(models.Model):
    """A one-time code that turns a machine into a terminal's device; only its hash is kept."""

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="enrolment_codes")
    digest = models.CharField(max_length=64, unique=True)
    issued_by = models.CharField(max_length=150)
    issued_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.terminal_id} #{self.pk}"


class ProcedureKind(models.Model):
    """What a citizen comes for. Programmes end and rules change, so nothing of it stands in code.

    `start_url` is the prepared shortcut of the box, `logout_url` the site's own log-out, `allowed` the origins that
    the box may reach (one per line). The `needs_…` fields choose the preflight questions.
    """

    code = models.SlugField("記号", max_length=40, unique=True)
    label = models.CharField("名前", max_length=60)
    label_en = models.CharField("英語の名前", max_length=80, blank=True)
    start_url = models.URLField("最初のページ", max_length=300)
    logout_url = models.URLField("ログアウトのページ", max_length=300)
    allowed = models.TextField("開いてよいサイト", help_text="1行に1つ。例: https://example.go.jp")
    active_from = models.DateField("受付開始日", null=True, blank=True)
    active_until = models.DateField("受付終了日", null=True, blank=True)
    needs_certificate = models.BooleanField("電子証明書を使う", default=True)
    needs_pin = models.BooleanField("暗証番号を使う", default=True)
    needs_own_name = models.BooleanField("本人名義に限る", default=False)
    guardian_possible = models.BooleanField("保護者が代わりにできる", default=False)
    wait_after_renewal = models.CharField(
        "電子証明書の更新後に待つ時間", max_length=80, blank=True, help_text="サービスごとに違います。例: 約24時間"
    )
    position = models.PositiveSmallIntegerField("並び順", default=0)

    class Meta:
        ordering: ClassVar = ["position", "label"]
        verbose_name = "手続"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(active_from__isnull=True)
                | Q(active_until__isnull=True)
                | Q(active_until__gte=F("active_from")),
                name="procedure_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def offered(self, day: date) -> bool:
        """Whether the procedure is offered on `day`."""
        return (self.active_from is None or self.active_from <= day) and (
            self.active_until is None or day <= self.active_until
        )

    def origins(self) -> tuple[str, ...]:
        """The allowed origins, one string each."""
        return tuple(line.strip() for line in self.allowed.splitlines() if line.strip())

    def assignment(self) -> Procedure:
        """What the terminal is told."""
        return Procedure(self.code, self.label, self.start_url, self.logout_url, self.origins())


class BringItem(models.Model):
    """One thing to bring (持ち物). `required`: without it the procedure will be interrupted."""

    procedure = models.ForeignKey(ProcedureKind, verbose_name="手続", on_delete=models.CASCADE, related_name="bring")
    label = models.CharField("持ち物", max_length=80)
    note = models.CharField("説明", max_length=160, blank=True)
    required = models.BooleanField("ないとできない", default=True)
    position = models.PositiveSmallIntegerField("並び順", default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        verbose_name = "持ち物"

    def __str__(self) -> str:
        return self.label


class HelpLine(models.Model):
    """A telephone line to ask, with the keys to press."""

    name = models.CharField("名前", max_length=80)
    number = models.CharField("電話番号", max_length=20)
    keys = models.CharField("押す番号", max_length=20, blank=True)
    subject = models.CharField("聞けること", max_length=80)
    position = models.PositiveSmallIntegerField("並び順", default=0)

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        verbose_name = "問い合わせ先"

    def __str__(self) -> str:
        return f"{self.name} {self.subject}"
