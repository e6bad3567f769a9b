"""From when a content is to be erased: fiscal years, leap days, settings."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from madoguchi.server.config import Installation
from madoguchi.server.ledger.retention import CLASSES, RetentionUnknown, begins, erase_on, years_of

DAYS = some.dates(date(2000, 1, 1), date(2150, 12, 31))


@pytest.mark.parametrize(
    ("stored", "kind", "day"),
    [
        (date(2022, 8, 17), "signature", date(2028, 4, 1)),
        (date(2023, 3, 31), "signature", date(2028, 4, 1)),
        (date(2023, 4, 1), "signature", date(2029, 4, 1)),
        (date(2024, 2, 29), "words", date(2029, 4, 1)),
        (date(2022, 12, 31), "rejected", date(2024, 4, 1)),
        (date(2023, 1, 1), "rejected", date(2024, 4, 1)),
    ],
)
def test_examples(stored: date, kind: str, day: date) -> None:
    assert erase_on(stored, kind) == day


@given(stored=DAYS, kind=some.sampled_from(sorted(CLASSES)))
def test_always_an_april_and_never_too_early(stored: date, kind: str) -> None:
    day = erase_on(stored, kind)
    assert (day.month, day.day) == (4, 1)
    full = timedelta(days=365 * CLASSES[kind].years)
    assert stored + full < day <= stored + full + timedelta(days=366 + CLASSES[kind].years)


@given(stored=DAYS)
def test_a_fiscal_year_begins_together(stored: date) -> None:
    start = begins(stored)
    year = stored.year if stored >= date(stored.year, 4, 1) else stored.year - 1
    assert start == date(year + 1, 4, 1)


def test_the_settings_say_other_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_RETENTION_YEARS", '{"signature": 10}')
    years = Installation().retention_years
    assert erase_on(date(2022, 8, 17), "signature", years) == date(2033, 4, 1)
    assert erase_on(date(2022, 8, 17), "words", years) == date(2028, 4, 1)


@pytest.mark.parametrize("years", [{"signatures": 5}, {"signature": 0}, {"signature": -1}, {"signature": 101}])
def test_years_that_nobody_meant_are_refused(years: dict[str, int]) -> None:
    with pytest.raises(RetentionUnknown):
        years_of("signature", years)


def test_a_kind_without_a_class_is_refused() -> None:
    with pytest.raises(RetentionUnknown):
        erase_on(date(2022, 8, 17), "diary")
