"""Scenario files: who came when and did what. They hold no results: what comes of it, the replay finds out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from madoguchi.replay.errors import MalformedScenario


class Act(StrEnum):
    """What a step does; the value stands in the file."""

    ARRIVE = "arrive"
    SIT_DOWN = "sit_down"
    PUT_CARD = "put_card"
    TAKE_CARD = "take_card"
    OPEN_PORTAL = "open_portal"
    MINIMISE = "minimise"
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    APPLY_SERVICE = "apply_service"
    REGISTER_ACCOUNT = "register_account"
    LOOK = "look"
    LOOK_AFRESH = "look_afresh"
    LEAVE = "leave"
    LEAVE_CARD_BEHIND = "leave_card_behind"
    FINISH = "finish"
    INQUIRE = "inquire"
    REQUEST = "request"
    DESK_ACTS = "desk_acts"

    @property
    def label(self) -> str:
        """Japanese label for the story."""
        return _LABELS[self]


_Part = TypeVar("_Part")

_LABELS = {
    Act.ARRIVE: "来庁し、端末に案内される",
    Act.SIT_DOWN: "呼ばれないまま端末に座る",
    Act.PUT_CARD: "カードを置く",
    Act.TAKE_CARD: "カードを取る",
    Act.OPEN_PORTAL: "ショートカットからサイトを開く",
    Act.MINIMISE: "画面を最小化する(閉じたつもり)",
    Act.LOG_IN: "カードを読み取ってログインする",
    Act.LOG_OUT: "ログアウトする",
    Act.APPLY_SERVICE: "決済サービスを申し込む",
    Act.REGISTER_ACCOUNT: "口座を登録する",
    Act.LOOK: "登録内容を見る",
    Act.LOOK_AFRESH: "ログインし直して登録内容を見る",
    Act.LEAVE: "ログアウトせずに帰る",
    Act.LEAVE_CARD_BEHIND: "カードを置いたまま離れる",
    Act.FINISH: "ログアウトして終える",
    Act.INQUIRE: "窓口が照会する",
    Act.REQUEST: "窓口が依頼する",
    Act.DESK_ACTS: "国の窓口が処理して報告する",
}

_DEMANDS: dict[Act, tuple[str, ...]] = {
    Act.ARRIVE: ("terminal", "procedure"),
    Act.SIT_DOWN: ("terminal", "procedure"),
    Act.INQUIRE: ("desk",),
    Act.REQUEST: ("desk", "ask"),
    Act.DESK_ACTS: ("desk",),
}
_CHOICES = {
    "procedure": ("payment_service", "public_money_account"),
    "desk": ("soumu", "digital"),
    "ask": ("delete_service", "correct_account", "delete_history"),
}
_FACTS = {"sees": ("nothing", "own", "foreign"), "refused": None}


@dataclass(frozen=True, slots=True)
class Payment:
    """A made-up cashless payment service and the person's ID and security code in it."""

    service: str
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Account:
    """A made-up bank account."""

    bank: str
    branch: str
    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person; `pin` serves for all four-digit PINs of their card."""

    letter: str
    name: str
    kana: str
    address: str
    birth: date
    sex: str
    pin: str
    certificate_renewed: datetime | None = None
    payment: Payment | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A step is done only if this was seen before: what `who` saw on the own page, or was refused for."""

    who: str
    fact: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that one person does (or staff do for them)."""

    at: datetime
    who: str
    do: Act
    only_if: Condition | None = None
    terminal: str = ""
    procedure: str = ""
    desk: str = ""
    ask: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file."""

    name: str
    title: str
    summary: str
    people: Mapping[str, Person]
    steps: tuple[Step, ...]

    @property
    def terminals(self) -> tuple[str, ...]:
        """Names of the terminals used, in order of first use."""
        return tuple(dict.fromkeys(step.terminal for step in self.steps if step.terminal))


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises `MalformedScenario` naming the place."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MalformedScenario(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MalformedScenario(f"{path}: {error}") from error
    return parse(data, path.stem)


def parse(data: Mapping[str, Any], name: str) -> Scenario:
    """Build a scenario from TOML data, strictly."""
    _only(data, {"title", "summary", "people", "steps"}, "top level")
    people = [_person(entry, f"people[{index}]") for index, entry in enumerate(_tables(data, "people"))]
    by_letter = {person.letter: person for person in people}
    if len(by_letter) != len(people):
        raise MalformedScenario("people: a letter stands twice")
    steps = tuple(_step(entry, f"steps[{index}]", by_letter) for index, entry in enumerate(_tables(data, "steps")))
    _check_order(steps)
    return Scenario(name, _text(data, "title", "top level"), str(data.get("summary", "")), by_letter, steps)


def _check_order(steps: tuple[Step, ...]) -> None:
    for index, (before, after) in enumerate(pairwise(steps)):
        if after.at < before.at:
            raise MalformedScenario(f"steps[{index + 1}]: earlier than the step before it")


def _tables(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = data.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise MalformedScenario(f"{key}: expected at least one [[{key}]]")
    return value


def _only(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise MalformedScenario(f"{where}: unknown field {', '.join(unknown)}")


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedScenario(f"{where}: {key} is missing or no text")
    return value


def _moment(value: object, where: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise MalformedScenario(f"{where}: expected a time with offset")
    return value


def _person(entry: Mapping[str, Any], where: str) -> Person:
    texts = ("letter", "name", "kana", "address", "sex", "pin")
    _only(entry, {*texts, "birth", "certificate_renewed", "payment", "account"}, where)
    birth = entry.get("birth")
    if not isinstance(birth, date) or isinstance(birth, datetime):
        raise MalformedScenario(f"{where}: birth is missing or no date")
    renewed = entry.get("certificate_renewed")
    return Person(
        **{key: _text(entry, key, where) for key in texts},
        birth=birth,
        certificate_renewed=None if renewed is None else _moment(renewed, f"{where}.certificate_renewed"),
        payment=_part(Payment, ("service", "id", "code"), entry.get("payment"), f"{where}.payment"),
        account=_part(Account, ("bank", "branch", "kind", "number"), entry.get("account"), f"{where}.account"),
    )


def _part(kind: type[_Part], names: tuple[str, ...], entry: object, where: str) -> _Part | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise MalformedScenario(f"{where}: expected a table")
    _only(entry, set(names), where)
    return kind(**{name: _text(entry, name, where) for name in names})


def _step(entry: Mapping[str, Any], where: str, people: Mapping[str, Person]) -> Step:
    _only(entry, {"at", "who", "do", "only_if", "terminal", "procedure", "desk", "ask", "note"}, where)
    act = _act(_text(entry, "do", where), where)
    for name in _DEMANDS.get(act, ()):
        _text(entry, name, f"{where} ({act})")
    for name, choices in _CHOICES.items():
        if entry.get(name, choices[0]) not in choices:
            raise MalformedScenario(f"{where}: {name} must be one of {', '.join(choices)}")
    return Step(
        at=_moment(entry.get("at"), where),
        who=_known(_text(entry, "who", where), people, where),
        do=act,
        only_if=_condition(entry.get("only_if"), people, where),
        **{name: str(entry.get(name, "")) for name in ("terminal", "procedure", "desk", "ask", "note")},
    )


def _act(value: str, where: str) -> Act:
    try:
        return Act(value)
    except ValueError as error:
        raise MalformedScenario(f"{where}: nobody knows how to do {value!r}; known: {', '.join(Act)}") from error


def _known(letter: str, people: Mapping[str, Person], where: str) -> str:
    if letter not in people:
        raise MalformedScenario(f"{where}: {letter!r} is none of the people")
    return letter


def _condition(entry: object, people: Mapping[str, Person], where: str) -> Condition | None:
    if entry is None:
        return None
    if not isinstance(entry, dict) or len(entry) != 2 or "who" not in entry:
        raise MalformedScenario(f"{where}: only_if needs who and one of {', '.join(_FACTS)}")
    fact = next(key for key in entry if key != "who")
    allowed = _FACTS.get(fact, ())
    if fact not in _FACTS or (allowed is not None and entry[fact] not in allowed):
        raise MalformedScenario(f"{where}: only_if cannot ask for {fact} = {entry[fact]!r}")
    return Condition(_known(str(entry["who"]), people, where), fact, str(entry[fact]))
