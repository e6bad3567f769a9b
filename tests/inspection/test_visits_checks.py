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


Z = visit("z", "11:00")
AGAIN: Row = {"card_tag": "tag-y"}
REFUSED: Row = {"refusals": "already_registered"}
NO_CARD: Row = {"card_tag": None}
_EXACTLY: dict[str, tuple[list[Row], set[tuple[str, str | None, str | None]]]] = {
    "nobody confirmed, nothing known of a wipe": (
        [Y | {"proof": None, "confirmation": "none"}, X],
        {("unproven_missing", "x", "y")},
    ),
    "refused again: the last earlier visit counts": (
        [visit("a", "9:00", **AGAIN, **LEFT), visit("b", "9:30", **AGAIN), Y, X, Z | AGAIN | REFUSED],
        {("refused_again", "x", "y")},
    ),
    "refused, and only later under the same card again": (
        [visit("a", "9:50"), Y | REFUSED, X, Z | AGAIN],
        {("refused_after_proof", "y", "a")},
    ),
    "refused, here before for something else": (
        [Y | {"procedure": "payment_service"}, X, Z | AGAIN | REFUSED],
        {("refused_after_proof", "z", "x")},
    ),
    "refused, here before for something unknown": (
        [Y | {"procedure": None}, X, Z | AGAIN | REFUSED],
        {("refused_again", "x", "y")},
    ),
    "refused, here before and not completed, but wiped with proof": (
        [Y | {"outcome": "interrupted"}, X, Z | AGAIN | REFUSED],
        {("refused_again", "x", "y")},
    ),
    "refused, here before, how that ended is not known": (
        [Y | {"outcome": None, "proof": None}, X, Z | AGAIN | REFUSED],
        {("refused_returned", "x", "y")},
    ),
    "refused, here three weeks before": (
        [Y, X, visit("z", "11:00", days=21, **AGAIN, **REFUSED)],
        {("refused_alone", "z", None)},
    ),
    "refused, and the next after the earlier visit is the same card": (
        [Y, visit("x", "10:20", **AGAIN), visit("w", "10:40"), Z | AGAIN | REFUSED],
        {("refused_again", "w", "x")},
    ),
    "refused, here before at the end of another terminal's day": (
        [Y | {"terminal": "端末2"}, X, Z | AGAIN | REFUSED],
        {("refused_after_proof", "z", "x")},
    ),
    "refused, here twice before, the last time at the end of another terminal's day": (
        [visit("a", "9:00", **AGAIN), visit("b", "9:30"), Y | {"terminal": "端末2"}, X, Z | AGAIN | REFUSED],
        {("refused_after_proof", "z", "x")},
    ),
    "refused, the one before was the same card for something else": (
        [Y | {"procedure": "payment_service"}, X | AGAIN | REFUSED],
        {("refused_alone", "x", None)},
    ),
    "refused, nothing known of who it is": (
        [Y | LEFT, X, visit("z", "11:00", days=1, **NO_CARD, **REFUSED)],
        {("unproven_unknown", "x", "y"), ("refused_alone", "z", None)},
    ),
    "no candidate: another procedure, too long ago, wiped, completed, later, or the next day": (
        [
            visit("a", "9:00", procedure="payment_service", **NO_CARD, **LEFT),
            visit("b", "9:10", days=-20, **NO_CARD, **LEFT),
            visit("b2", "9:30", days=-20),
            visit("c", "9:20", **NO_CARD, outcome="interrupted"),
            visit("d", "9:40", **NO_CARD, proof=None),
            visit("d2", "10:00"),
            visit("z", "11:00", **NO_CARD, **REFUSED),
            visit("e", "12:00", **NO_CARD, **LEFT),
            visit("e2", "12:20"),
            visit("f", "16:00", days=-3, **NO_CARD, **LEFT),
        ],
        {
            ("unproven_unknown", "b2", "b"),
            ("unproven_unknown", "c", "a"),
            ("unproven_unknown", "e2", "e"),
            ("refused_after_proof", "z", "d2"),
        },
    ),
    "no candidate: not the refused one's own neighbour, and not itself": (
        [
            {"visit_id": name, "site": "架空庁舎", "created_at": at("9:00"), **LEFT, **said}
            for name, said in (("a", {}), ("b", REFUSED), ("c", {}))
        ],
        {
            ("unproven_unknown", "b", "a"),
            ("unproven_unknown", "c", "b"),
            ("refused_untagged", "b", "a"),
        },
    ),
    "returned: two without a card tag are not the same": (
        [Y | LEFT | NO_CARD, X, Z | NO_CARD],
        {("unproven_unknown", "x", "y")},
    ),
    "returned: three without a card tag are not the same": (
        [visit("a", "9:40", **UNKNOWN, **NO_CARD), Y | NO_CARD, X, Z | NO_CARD],
        set(),
    ),
    "returned: the interrupted one was the last at another terminal": (
        [Y | LEFT | {"terminal": "端末2"}, X, Z | AGAIN],
        set(),
    ),
    "returned: completed after somebody unproven, not interrupted before": (
        [visit("a", "9:40"), Y | {"proof": None}, X, Z | AGAIN],
        set(),
    ),
    "returned: nobody between the two": (
        [Y | LEFT, visit("x", "10:20", **AGAIN)],
        set(),
    ),
    "returned: not completed, somebody unproven before": (
        [visit("a", "9:40", **UNKNOWN), Y | {"outcome": "interrupted"}, X, Z | AGAIN],
        set(),
    ),
    "returned: the next after the interruption was the same card": (
        [Y | LEFT, visit("x", "10:20", **AGAIN, procedure="payment_service"), Z | AGAIN],
        set(),
    ),
    "returned: the next after the interruption came on another day": (
        [Y | LEFT, visit("x", "10:20", days=1), visit("z", "11:00", days=1, **AGAIN)],
        set(),
    ),
    "returned: the one before was the same card for something else": (
        [visit("a", "9:40", **UNKNOWN, **AGAIN, procedure="payment_service"), Y, X, Z | AGAIN],
        set(),
    ),
    "returned: the one before came the day before": (
        [visit("a", "9:40", days=-1, **UNKNOWN), Y, X, Z | AGAIN],
        set(),
    ),
    "outside: the last who sat there before, not one at another seat or of the same card": (
        [
            visit("a", "9:00"),
            Y,
            visit("b", "10:14", minutes=1, card_tag="tag-x"),
            visit("c", "10:12", terminal="端末2"),
            X | {"registered_at": at("10:16")},
        ],
        {("outside_in_nobodys", "x", "y")},
    ),
    "outside: after one's own turn": (
        [Y | {"registered_at": at("10:25")}, X],
        {("outside_in_anothers", "y", "x")},
    ),
    "outside: one's own turn is nobody else's": (
        [X | NO_CARD | {"registered_at": at("10:40")}],
        {("outside_in_nobodys", "x", None)},
    ),
    "outside: who came after the moment is not asked": (
        [Y, visit("a", "10:12", minutes=5), X | {"registered_at": at("10:05")}],
        {("outside_in_anothers", "x", "y")},
    ),
    "outside: of a day no turn is known": (
        [X | {"opened_at": None, "ended_at": None, "created_at": at("0:00").date(), "registered_at": at("10:40")}],
        set(),
    ),
    "outside: nobody that day": (
        [visit("a", "9:00", days=-1), X | {"registered_at": at("10:00")}],
        {("outside_in_nobodys", "x", None)},
    ),
}


@pytest.mark.parametrize("why", _EXACTLY)
def test_exactly_these_signs(why: str, tmp_path: Path) -> None:
    rows, expected = _EXACTLY[why]
    assert told(signals(tmp_path, *rows)) == expected


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


def test_no_minutes_are_counted_up_to_a_day(tmp_path: Path) -> None:
    day = {"opened_at": None, "ended_at": None, "created_at": at("0:00", days=1).date()}
    rows = [visit("y", "20:00", wipe_failed_at=at("20:10"), **LEFT), X | day]
    assert [(one.sign, one.minutes) for one in signals(tmp_path, *rows)] == [
        ("quarantine_skipped", None),
        ("unproven_unknown", None),
    ]


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
