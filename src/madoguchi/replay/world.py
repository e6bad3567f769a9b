"""The nation and the cards of a scenario's people."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from madoguchi.card import CertificateAuthority, Holder, Pins, Sex, VirtualCard, practice_keys
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.world import Behaviour, Nation
from madoguchi.replay.clock import ReplayClock
from madoguchi.replay.scenario import Person, Scenario

_CARDS_ARE_OLDER = timedelta(days=400)
_SIGN_PIN = "KAKU1234"


@dataclass(frozen=True, slots=True)
class World:
    """A nation with the people of a scenario enrolled, and their cards by letter."""

    nation: Nation
    clock: ReplayClock
    cards: dict[str, VirtualCard]


def make_world(scenario: Scenario, behaviour: Behaviour) -> World:
    """Issue cards, means and accounts, then let the certificates be renewed in the order of their times."""
    clock = ReplayClock(scenario.steps[0].at - _CARDS_ARE_OLDER)
    nation = Nation(clock=clock.now, behaviour=behaviour, authority=CertificateAuthority.create(clock.now()))
    cards = {letter: _enrol(nation, clock.now(), person) for letter, person in scenario.people.items()}
    for renewed_at, letter in sorted(_renewals(scenario)):
        clock.move_to(renewed_at)
        nation.renew_certificate(letter, cards[letter])
    return World(nation, clock, cards)


def _renewals(scenario: Scenario) -> list[tuple[datetime, str]]:
    return [(p.certificate_renewed, p.letter) for p in scenario.people.values() if p.certificate_renewed is not None]


def _enrol(nation: Nation, now: datetime, person: Person) -> VirtualCard:
    sex = next((sex for sex in Sex if sex.label == person.sex), Sex.UNKNOWN)
    holder = Holder(name=person.name, kana=person.kana, address=person.address, birth=person.birth, sex=sex)
    pins = Pins(auth=person.pin, text=person.pin, basic=person.pin, sign=_SIGN_PIN)
    card = VirtualCard.make(holder, pins, nation.authority, now, keys=practice_keys(person.letter))
    nation.enrol_person(person.letter, holder, card)
    if person.payment is not None:
        nation.payments.issue(person.letter, person.payment.service, person.payment.id, person.payment.code)
    if person.account is not None:
        given = person.account
        account = Account(given.bank, given.branch, AccountKind(given.kind), given.number)
        nation.bank.open_account(person.letter, account)
    return card
