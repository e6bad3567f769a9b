"""The log and what hangs on it. Entries, positions, checkpoints, erasures: never changed or deleted (triggers)."""

import uuid
from typing import ClassVar

from django.db import models

from madoguchi.server import clock


class Entry(models.Model):
    """One signed statement, as the bytes that are hashed (`evidence.leaf`). The columns beside it are for searching.

    `event`: the `VisitEvent` made of it, if one was. On PostgreSQL the table has a column `xid` as well, the
    transaction that wrote the row: rows are integrated in the order (xid, id), so that late commits are not missed.
    """

    leaf = models.BinaryField()
    kind = models.CharField(max_length=30)
    visit = models.UUIDField(null=True)
    terminal = models.UUIDField(null=True)
    event = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "証拠の記録"
        indexes: ClassVar = [
            models.Index(fields=["visit"], name="entry_of_visit"),
            models.Index(fields=["terminal", "at"], name="entry_of_terminal"),
            models.Index(fields=["at"], name="entry_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"


class Position(models.Model):
    """Where an entry stands in the log, from 0 on. Given out by the integrator, without gaps."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.BigIntegerField(unique=True)

    def __str__(self) -> str:
        return str(self.position)


class Tile(models.Model):
    """Hashes of the log in tiles of 256 (`evidence.tiles`). Made from the entries; the last ones grow."""

    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["level", "number"], name="tile_once")]

    def __str__(self) -> str:
        return f"{self.level}/{self.number}"


class Checkpoint(models.Model):
    """A signed state of the log (`evidence.note`)."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-size"]
        verbose_name = "チェックポイント"

    def __str__(self) -> str:
        return str(self.size)


class Stamp(models.Model):
    """An RFC 3161 time stamp over a checkpoint's note, from an authority outside the house."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.PROTECT, related_name="stamp")
    token = models.BinaryField()
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.checkpoint_id)


class Cursor(models.Model):
    """How far the integrator is; one row. After `floor` (an entry's id), entries up to (`xid`, `entry`) are in."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)
    xid = models.BigIntegerField(default=0)
    entry = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.size)


WRAPPED_UNDER = models.Func(
    models.F("wrapped"), template="substr(%(expressions)s, 1, 8)", output_field=models.BinaryField()
)
"""The id of the wrapping key that a payload's own key lies under (`evidence.sealed`)."""


class Payload(models.Model):
    """Something personal that a statement has committed to: handwriting, words that staff typed, a refused message.

    `sealed`: salt and content under a key of this row's own (AES-256-GCM); `wrapped`: that key under the office's
    wrapping key. Erasing deletes the row and changes the wrapping key. `kind`: a retention class (`retention.CLASSES`);
    `erase_on`: the day from which it is to be erased.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    visit = models.UUIDField(null=True)
    commitment = models.CharField(max_length=64, unique=True)
    sealed = models.BinaryField()
    wrapped = models.BinaryField()
    stored_at = models.DateTimeField(default=clock.now)
    erase_on = models.DateField()

    class Meta:
        verbose_name = "個人に関する内容"
        indexes: ClassVar = [
            models.Index(fields=["visit"], name="payload_of_visit"),
            models.Index(fields=["erase_on"], name="payload_erase_on"),
            models.Index(WRAPPED_UNDER, name="payload_wrapped_under"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stored_at:%Y-%m-%d}"


class Erasure(models.Model):
    """What was erased, when, why and by whom: nothing of the content. `by`: a login name, or empty for the rule."""

    payload = models.UUIDField(unique=True)
    kind = models.CharField(max_length=20)
    visit = models.UUIDField(null=True)
    commitment = models.CharField(max_length=64)
    stored_at = models.DateTimeField()
    erased_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=20)
    by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "消去の記録"
        indexes: ClassVar = [
            models.Index(fields=["commitment"], name="erasure_commitment"),
            models.Index(fields=["visit"], name="erasure_of_visit"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.erased_at:%Y-%m-%d}"
