"""August 2022 without the walls: what the sites of each year prevent, and what not. In this process, no browser."""

from pathlib import Path

import pytest

from madoguchi.nation.desks import RequestState
from madoguchi.nation.world import Nation
from madoguchi.replay import run
from madoguchi.replay.report import Result
from madoguchi.replay.run import run_replay
from madoguchi.replay.scenario import load
from madoguchi.replay.world import World, make_world

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def played(name: str, sites: str) -> Result:
    return run_replay(load(SCENARIOS / f"{name}.toml"), sites=sites, guard="off", browser="none")


def landed(result: Result) -> list[tuple[str, str, str]]:
    return [(r.kind, r.of, r.landed_on) for r in result.registrations]


def refused(result: Result) -> list[tuple[str, str]]:
    return [(r.who, r.reason) for r in result.refusals]


@pytest.fixture
def nations(monkeypatch: pytest.MonkeyPatch) -> list[Nation]:
    """The nations that replays make, to look at afterwards."""
    made: list[Nation] = []

    def keep(*args: object, **kwargs: object) -> World:
        world = make_world(*args, **kwargs)  # type: ignore[arg-type]  # handed through
        made.append(world.nation)
        return world

    monkeypatch.setattr(run, "make_world", keep)
    return made


def test_2022_is_the_report() -> None:
    result = played("august-2022", "2022")
    wrong = [(r.kind, r.of, r.landed_on, f"{r.at:%m-%d}") for r in result.registrations if r.wrong]
    assert wrong == [
        ("payment_service", "B", "A", "08-17"),
        ("public_money_account", "D", "C", "08-30"),
    ]
    assert result.misregistrations == 2
    assert refused(result) == [
        ("A", "certificate_not_yet_effective"),
        ("B", "already_registered"),
        ("A", "already_registered"),
        ("C", "already_registered"),
    ]
    assert result.prevented_by == []


def test_2022_is_put_right_by_the_desks(nations: list[Nation]) -> None:
    result = played("august-2022", "2022")
    nation = nations[0]
    assert landed(result)[1:3] == [("payment_service", "A", "A"), ("payment_service", "B", "B")]
    assert landed(result)[4:] == [("public_money_account", "C", "C"), ("public_money_account", "D", "D")]
    for letter in "AB":
        standing = nation.points.standing(letter)
        assert standing is not None
        assert nation.payments.verify(standing.service, standing.payment_id, _code(letter)).owner == letter
    page = nation.accounts.standing("C")
    assert page.current is not None
    assert nation.bank.owner(page.current.account) == "C"
    assert all(nation.bank.owner(entry.account) != "D" for entry in page.history)
    closed = [(r.state, f"{r.closed_at:%m-%d}") for r in [*nation.soumu.requests(), *nation.digital.requests()]]
    assert closed == [(RequestState.DONE, "08-17"), (RequestState.DONE, "08-31"), (RequestState.DONE, "09-15")]


def _code(letter: str) -> str:
    payment = load(SCENARIOS / "august-2022.toml").people[letter].payment
    assert payment is not None
    return payment.code


@pytest.mark.parametrize(
    ("sites", "first", "walls"),
    [
        ("2023", ("B", "applicant_mismatch"), ["applicant_check", "second_read_check"]),
        ("proof", ("B", "other_card"), ["proof", "second_read_check"]),
    ],
)
def test_later_sites_prevent_both(sites: str, first: tuple[str, str], walls: list[str]) -> None:
    result = played("august-2022", sites)
    assert result.misregistrations == 0
    assert sorted(r.of for r in result.registrations) == ["A", "B", "C", "D"]
    assert first in refused(result)
    assert ("D", "second_read_mismatch") in refused(result)
    assert result.prevented_by == walls


@pytest.mark.parametrize(
    ("name", "sites", "wrong"),
    [
        ("portal-reopened", "2022", 1),
        ("portal-reopened", "2023", 0),
        ("window-minimised", "2022", 1),
        ("window-minimised", "2023", 0),
        ("window-minimised", "proof", 0),
        ("family-of-three", "2022", 1),
        ("family-of-three", "2023", 0),
        ("card-forgotten", "2022", 1),
        ("card-forgotten", "2023", 1),
        ("card-forgotten", "proof", 0),
        ("certificate-renewed", "2022", 0),
    ],
)
def test_what_the_sites_alone_prevent(name: str, sites: str, wrong: int) -> None:
    assert played(name, sites).misregistrations == wrong


def test_the_forgotten_card_is_stopped_by_the_proof_alone() -> None:
    result = played("card-forgotten", "proof")
    assert refused(result) == [("B", "pin_wrong")]
    assert result.prevented_by == ["proof"]


def test_json_has_the_agreed_form() -> None:
    found = played("card-forgotten", "2022").to_json()
    keys = ["scenario", "sites", "guard", "registrations", "misregistrations", "refusals", "prevented_by"]
    assert list(found) == keys
    assert found["registrations"] == [
        {"kind": "payment_service", "of": "B", "landed_on": "A", "at": "2022-08-26T10:11:00+09:00"}
    ]
