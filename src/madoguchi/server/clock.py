"""The one clock of the office. Replays set their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from django.utils import timezone

_source: Callable[[], datetime] = timezone.now


def now() -> datetime:
    """The current moment, with offset."""
    return _source()


def today() -> date:
    """The current day at the counter (Asia/Tokyo)."""
    return timezone.localdate(now())


def set_source(source: Callable[[], datetime] | None) -> None:
    """Take the time from `source` (aware moments) in this process from now on; `None`: the real clock."""
    global _source
    _source = source or timezone.now


@contextmanager
def running_on(source: Callable[[], datetime]) -> Iterator[None]:
    """Simulated time within the block."""
    before = _source
    set_source(source)
    try:
        yield
    finally:
        set_source(before)
