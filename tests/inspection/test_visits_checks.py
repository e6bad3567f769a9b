"""Every sign is found where it was planted, and is not where it must not be."""

from datetime import timedelta
from pathlib import Path

import pytest

from inspection.visit_list import LEFT, UNKNOWN, Row, at, planted, signals, told, visit
from madoguchi.inspection.checks import check
from madoguchi.inspection.visit_signs import CHECKS, SIGNS, Limits

Y, X = visit("y", "10:00"), visit("x", "10:20")


def test_every_sign_is_planted_in_some_list_and_every_check_says_one() -> None:
    assert set(planted()) == set(SIGNS)
    said = {sign for sign in SIGNS for name in CHECKS if f"'{sign}'" in check(name).sql}
    assert said == set(SIGNS)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_planted_case_is_found_with_its_direction(sign: str, tmp_path: Path) -> None:
    found = told(signals(tmp_path, *planted()[sign]))
    assert (sign, "x", None if sign == "refused_alone" else "y") in found


def test_orderly_visits_give_no_sign(tmp_path: Path) -> None:
    rows = [visit(f"v{n}", f"{9 + n // 4}:{n % 4 * 15:02d}") for n in range(20)]
    for row in rows:
        row["registered_at"] = row["opened_at"] + timedelta(minutes=5)
        row |= {"card_away_s": 30, "own_name": "own", "refusals": ""}
    assert signals(tmp_path, *rows) == []


_QUIET: dict[str, list[Row]] = {
    "unproven: the wipe is proven, nobody has signed": [Y | {"confirmation": "none"}, X],
    "unproven: signed, nothing known of a wipe": [Y | {"proof": None}, X],
    "unproven: completed, nothing known": [Y | UNKNOWN, X],
    "unproven: nobody came after": [Y | {"proof": False, "confirmation": "none"}],
    "unproven: next at another terminal": [Y | LEFT, X | {"terminal": "端末2"}],
    "unproven: next at another site": [Y | LEFT, X | {"site": "見本庁舎"}],
    "unproven: next on another day": [Y | LEFT, visit("x", "9:00", days=1)],
    "unproven: the same card again": [Y | LEFT, X | {"card_tag": "tag-y"}],
    "refused: for another reason": [Y, X | {"refusals": "not_already_registered,refused_by_site"}],
    "refused: the same card was there before, nobody between": [
        Y,
        X | {"card_tag": "tag-y", "refusals": "already_registered"},
    ],
    "returned: all wiped with proof": [
        Y | {"outcome": "interrupted"},
        X,
        visit("z", "11:00", card_tag="tag-y"),
        visit("w", "12:00", card_tag="tag-x"),
    ],
    "returned: for another procedure": [
        Y | {"proof": None},
        X,
        visit("z", "11:00", card_tag="tag-x", procedure="payment_service"),
    ],
    "returned: after three weeks": [Y | {"proof": None}, X, visit("z", "11:00", days=21, card_tag="tag-x")],
    "same minute: a minute apart": [Y | {"registered_at": at("10:09")}, X | {"registered_at": at("10:20")}],
    "same minute: at two terminals": [
        Y | {"registered_at": at("10:09")},
        visit("x", "10:00", terminal="端末2", registered_at=at("10:09")),
    ],
    "same minute: one person": [
        Y | {"registered_at": at("10:09")},
        visit("x", "10:10", card_tag="tag-y", registered_at=at("10:09") + timedelta(seconds=50)),
    ],
    "outside: clocks that differ by a little": [Y, X | {"registered_at": at("10:31")}],
    "outside: only the day is known": [Y, X | {"registered_at": at("10:00").date()}],
    "card: back within the grace": [Y | {"card_away_s": 180}, X],
    "quarantine: released before the next": [Y | {"wipe_failed_at": at("10:11"), "released_at": at("10:19")}, X],
    "quarantine: nobody came": [Y | {"wipe_failed_at": at("10:11")}],
    "name: nobody has looked": [Y, X | {"own_name": "unseen"}],
}


@pytest.mark.parametrize("why", _QUIET)
def test_what_must_not_be_found(why: str, tmp_path: Path) -> None:
    assert signals(tmp_path, *_QUIET[why]) == []


def test_the_terminal_is_the_same_however_widely_it_is_written(tmp_path: Path) -> None:
    found = signals(tmp_path, Y | LEFT | {"terminal": "端末1"}, X | {"terminal": " 端末 1 "})
    assert told(found) == {("unproven_unknown", "x", "y")}


def test_without_terminals_the_site_stands_for_the_seat(tmp_path: Path) -> None:
    found = signals(tmp_path, Y | LEFT | {"terminal": None}, X | {"terminal": None})
    assert told(found) == {("unproven_unknown", "x", "y")}


def test_of_two_times_that_are_equal_the_order_of_the_list_counts(tmp_path: Path) -> None:
    day = at("0:00").date()
    rows = [{"visit_id": name, "site": "架空庁舎", "created_at": day, "outcome": "interrupted"} for name in "cab"]
    assert told(signals(tmp_path, *rows)) == {("unproven_unknown", "a", "c"), ("unproven_unknown", "b", "a")}


def test_a_lease_orders_visits_before_the_list_does(tmp_path: Path) -> None:
    rows = [Y | LEFT | {"lease": 8}, visit("x", "10:00", lease=7, **LEFT)]
    assert told(signals(tmp_path, *rows)) == {("unproven_unknown", "y", "x")}


def test_minutes_are_told_only_where_times_are(tmp_path: Path) -> None:
    [one] = signals(tmp_path, Y | LEFT, X)
    assert one.minutes == 10
    day = at("0:00").date()
    (tmp_path / "days").mkdir()
    rows = [row | {"opened_at": None, "ended_at": None, "created_at": day} for row in (Y | LEFT, X)]
    [other] = signals(tmp_path / "days", *rows)
    assert other.minutes is None


def test_the_days_of_a_return_can_be_chosen(tmp_path: Path) -> None:
    rows = planted()["returned_completed"]
    assert signals(tmp_path, *rows, limits=Limits(return_s=2 * 86400)) == []


def test_a_visit_without_any_time_is_nobodys_neighbour(tmp_path: Path) -> None:
    lost = {"visit_id": "t", "site": "架空庁舎", "terminal": "端末1", "outcome": "interrupted"}
    assert told(signals(tmp_path, Y | LEFT, lost, X)) == {("unproven_unknown", "x", "y")}


@pytest.mark.slow
def test_spark_says_the_same(tmp_path: Path) -> None:
    rows: list[Row] = []
    for number, (sign, some) in enumerate(planted().items()):
        tags = {row["card_tag"]: f"{row['card_tag']}-{sign}" for row in some if row["card_tag"]}
        rows += [
            row
            | {
                "visit_id": f"{row['visit_id']}-{sign}",
                "card_tag": tags.get(row["card_tag"]),
                "site": f"架空庁舎{number}",
            }
            for row in some
        ]
    for name in ("duckdb", "spark"):
        (tmp_path / name).mkdir()
    here = signals(tmp_path / "duckdb", *rows)
    assert {one.sign for one in here} == set(SIGNS)
    assert signals(tmp_path / "spark", *rows, engine="spark") == here
