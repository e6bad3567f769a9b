"""One shared browser, four people, any order of sitting down, walking off and forgetting cards.

Everybody knows only the own PINs and types only the own means. What may come of it is stated per behaviour.
"""

from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from madoguchi.card import CardError
from madoguchi.nation.accounts import Write
from madoguchi.nation.card_use import use_card
from madoguchi.nation.challenges import CardUse, Challenge, Returned
from madoguchi.nation.errors import NationError
from madoguchi.nation.ground import Kind
from madoguchi.nation.site import Site
from madoguchi.nation.world import Behaviour, Registration
from nation.town import LETTERS, Town

PEOPLE = st.sampled_from(LETTERS)
ACTS = [
    "log_in_points",
    "log_in_accounts",
    "log_out",
    "apply",
    "read_face",
    "register_account",
    "change_account",
    "delete_account",
]


class Counter(RuleBasedStateMachine):
    """A terminal without any wall of ours: one browser that is never closed, one reader."""

    behaviour = Behaviour.Y2022

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(self.behaviour)
        self.cookies: dict[str, str | None] = {"points": None, "accounts": None}
        self.seated = "A"
        self.on_reader: str | None = None

    @rule(
        who=PEOPLE,
        brings_card=st.sampled_from([True, True, True, False]),
        acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=5),
        takes_card=st.booleans(),
        minutes=st.sampled_from([1, 20, 61]),
    )
    def visit(self, who: str, brings_card: bool, acts: list[str], takes_card: bool, minutes: int) -> None:
        """Somebody sits down, does things, and goes: perhaps without log-out, perhaps without the card."""
        self.seated = who
        self.on_reader = who if brings_card else self.on_reader
        for act in acts:
            self.try_it(getattr(self, act))
        self.on_reader = None if takes_card else self.on_reader
        self.town.clock.forward(minutes=minutes)

    # what people do, in whoever's session stands there

    def log_in_points(self) -> None:
        self.log_in("points", self.town.nation.points)

    def log_in_accounts(self) -> None:
        self.log_in("accounts", self.town.nation.accounts)

    def log_in(self, name: str, site: Site) -> None:
        cookie = self.cookies[name] = site.open(self.cookies[name]).cookie
        self.cookies[name] = site.login(cookie, self.at_card(site, site.ask_login(cookie))).cookie

    def log_out(self) -> None:
        self.town.nation.points.logout(self.cookies["points"])
        self.town.nation.accounts.logout(self.cookies["accounts"])

    def apply(self) -> None:
        points, cookie, means = self.town.nation.points, self.cookies["points"], self.town.means(self.seated)
        challenge = points.ask_register(cookie, means)
        returned = None if challenge is None else self.at_card(points, challenge)
        before = len(self.town.nation.misregistrations)
        points.register(cookie, means, returned)
        self.judge(self.town.nation.misregistrations[before:])

    def read_face(self) -> None:
        accounts, cookie = self.town.nation.accounts, self.cookies["accounts"]
        accounts.second_read(cookie, self.at_card(accounts, accounts.ask_second_read(cookie)))

    def register_account(self) -> None:
        self.write_account(Write.REGISTER)

    def change_account(self) -> None:
        self.write_account(Write.CHANGE)

    def delete_account(self) -> None:
        self.write_account(Write.DELETE)

    def write_account(self, write: Write) -> None:
        accounts, cookie = self.town.nation.accounts, self.cookies["accounts"]
        typed = None if write is Write.DELETE else self.town.typed(self.seated)
        challenge = accounts.ask_write(cookie, write, typed)
        returned = None if challenge is None else self.at_card(accounts, challenge)
        accounts.write(cookie, write, typed, returned)

    def judge(self, wrong: list[Registration]) -> None:
        """What is allowed to have gone wrong with a payment service; overridden per behaviour."""

    @precondition(lambda self: self.town.nation.misregistrations)
    @rule(who=PEOPLE)
    def call_centre_deletes(self, who: str) -> None:
        self.town.nation.soumu.ask_delete_service(who)
        self.town.nation.soumu.work()

    # hands

    def at_card(self, site: Site, challenge: Challenge) -> Returned:
        """Whoever sits there types the own PIN, whichever card lies on the reader."""
        self.town.put(self.on_reader)
        pin = self.town.face_pin(self.seated) if challenge.use is CardUse.FACE else self.town.pin(self.seated)
        return Returned(challenge.id, site.answer(challenge.id, use_card(self.town.reader, challenge, pin)))

    def try_it(self, do: Callable[[], object]) -> None:
        before = len(self.town.nation.registrations)
        try:
            do()
        except (NationError, CardError):
            assert len(self.town.nation.registrations) == before, "refused, and yet written"

    # what always holds

    @invariant()
    def one_service_per_person_one_person_per_means(self) -> None:
        nation = self.town.nation
        standing = [record for letter in LETTERS if (record := nation.points.standing(letter)) is not None]
        assert len({(record.service, record.payment_id) for record in standing}) == len(standing)
        for letter in LETTERS:
            means = self.town.means(letter)
            taken = nation.payments.stands(means.service, means.payment_id)
            assert taken == any(record.payment_id == means.payment_id for record in standing)

    @invariant()
    def nothing_leaves_the_history(self) -> None:
        accounts = self.town.nation.accounts
        written = sum(r.kind is Kind.PUBLIC_MONEY_ACCOUNT for r in self.town.nation.registrations)
        pages = [accounts.standing(letter) for letter in LETTERS]
        assert sum(len(page.history) for page in pages) == written
        assert all(page.current is None or page.current in page.history for page in pages)


class Counter2023(Counter):
    """2023: a payment service lands on another only when that other's card still lies on the reader."""

    behaviour = Behaviour.Y2023

    def judge(self, wrong: list[Registration]) -> None:
        assert all(registration.landed_on == self.on_reader for registration in wrong)


class CounterProof(Counter):
    """proof: nothing ever lands on another."""

    behaviour = Behaviour.PROOF

    @invariant()
    def nothing_lands_on_another(self) -> None:
        assert self.town.nation.misregistrations == []


for machine in (Counter, Counter2023, CounterProof):
    machine.TestCase.settings = settings(max_examples=20, stateful_step_count=12, deadline=None)

TestCounter = Counter.TestCase
TestCounter2023 = Counter2023.TestCase
TestCounterProof = CounterProof.TestCase


class Wished2022(Counter):
    """What one would wish of 2022."""

    @invariant()
    def nothing_lands_on_another(self) -> None:
        assert self.town.nation.misregistrations == []


class Wished2023(Wished2022):
    """What one would wish of 2023."""

    behaviour = Behaviour.Y2023


@pytest.mark.parametrize("machine", [Wished2022, Wished2023])
def test_the_same_hands_do_find_the_incident_where_it_is_possible(machine: type[Counter]) -> None:
    quick = settings(
        max_examples=300,
        stateful_step_count=12,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=quick)
