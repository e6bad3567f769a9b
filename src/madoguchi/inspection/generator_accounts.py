"""Accounts of made-up people: holder names with the noise of real ones, and the planted wrong registrations."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from madoguchi.inspection.generator_names import Numbers, draw, draw_given, given_names, surnames
from madoguchi.inspection.generator_people import CHILD, SPOUSE, People

FAMILY_SHARE, OTHER_SHARE = 0.0024, 0.000014
"""Share of registered accounts that stood with a family member's name (about 130,000 of 54 million), with a
stranger's (748 of 54 million): Digital Agency, June 2023."""
KINDS = ("SELF", "FAMILY", "OLDNAME", "OTHER")
SELF, FAMILY, OLDNAME, OTHER = range(4)
NO_SPACE, KANA_NO_SPACE, LONG_VOWEL, VARIANT, TYPO, FULL_WIDTH, OWN_READING = (1 << bit for bit in range(7))
"""Bits of `noise`. OWN_READING: the given name is read like no dictionary would read it."""
_NOISE = {
    NO_SPACE: 0.04,
    KANA_NO_SPACE: 0.06,
    LONG_VOWEL: 0.03,
    VARIANT: 0.15,
    TYPO: 0.003,
    FULL_WIDTH: 0.15,
    OWN_READING: 0.001,
}
_FORMER = 0.012
_ADULT = 20 * 365
_CHILDREN = 0.85
_KEPT = 0.6
_MARKS = "\uff9e\uff9f"
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
_HALF_KANA = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Accounts:
    """Names of registry and account, and the truth.

    `kind` (of `KINDS`), `noise` (bits), `owner` (row whose account it is, oneself unless planted), `moved` (has another
    account now than the one that somebody else's row shows).
    """

    kanji: pa.Array
    kana: pa.Array
    kind: Numbers
    noise: Numbers
    owner: Numbers
    moved: Bools


@dataclass(frozen=True)
class Planted:
    """Rows with somebody else's account."""

    kind: Numbers
    owner: Numbers
    moved: Bools


def make_accounts(dice: np.random.Generator, people: People, *, family: int, other: int) -> Accounts:
    """Names and accounts of everybody, with `family` and `other` wrong registrations (fewer if too few people fit)."""
    noise = _noise(dice, people)
    former = (dice.random(len(people)) < _FORMER) & (people.sex == 0) & (people.role != CHILD)
    planted = _plant(dice, people, family, other)
    kana = _kana(dice, people, noise, former).take(pa.array(planted.owner))
    kind = np.where((planted.kind == SELF) & former, OLDNAME, planted.kind)
    return Accounts(_kanji(people, noise), kana, kind, noise, planted.owner, planted.moved)


def _noise(dice: np.random.Generator, people: People) -> Numbers:
    noise = np.zeros(len(people), dtype=np.int64)
    for bit, share in _NOISE.items():
        noise |= np.where(dice.random(len(people)) < share, bit, 0)
    first, second = surnames()[0], given_names()[0]
    lengthens = first.lengthens[people.surname] | second.lengthens[people.given]
    differs = first.differs[people.surname] | second.differs[people.given]
    return noise & ~np.where(lengthens, 0, LONG_VOWEL) & ~np.where(differs, 0, VARIANT)


def _joined(first: pa.Array, second: pa.Array, apart: Bools, space: str) -> pa.Array:
    spaces = pa.array(["", space]).take(pa.array(apart.astype(np.int8)))
    return pc.binary_join_element_wise(first, spaces, second, "")


def _kanji(people: People, noise: Numbers) -> pa.Array:
    old = pa.array((noise & VARIANT) > 0)
    halves = [
        pc.if_else(old, pool.variant.take(pa.array(at)), pool.kanji.take(pa.array(at)))
        for pool, at in ((surnames()[0], people.surname), (given_names()[0], people.given))
    ]
    return _joined(halves[0], halves[1], (noise & NO_SPACE) == 0, "\u3000")


def _kana(dice: np.random.Generator, people: People, noise: Numbers, former: Bools) -> pa.Array:
    """Everybody's own account-holder name."""
    surname = np.where(former, draw(surnames()[1], dice, len(people)), people.surname)
    form = np.where(noise & FULL_WIDTH, 0, 2) + np.where(noise & LONG_VOWEL, 1, 0)
    halves = []
    other = draw_given(dice, people.sex, 1970 + (people.born / 365.2425).astype(np.int64))
    given = np.where(noise & OWN_READING, other, people.given)
    for pool, at in ((surnames()[0], surname), (given_names()[0], given)):
        every = pa.concat_arrays(pool.kana)
        halves.append(every.take(pa.array(form * len(pool.kanji) + at)))
    kana = _joined(halves[0], halves[1], (noise & KANA_NO_SPACE) == 0, " ")
    wrong = np.flatnonzero(noise & TYPO)
    texts = [mistyped(dice, text) for text in kana.take(pa.array(wrong)).to_pylist()]
    return pc.replace_with_mask(kana, pa.array((noise & TYPO) > 0), pa.array(texts, pa.string()))


def mistyped(dice: np.random.Generator, text: str) -> str:
    """One slip: a voicing mark lost, a kana left out, doubled or hit wrong."""
    marks = [place for place, char in enumerate(text) if char in _MARKS]
    if marks and dice.random() < 0.5:
        place = int(dice.choice(marks))
        return text[:place] + text[place + 1 :]
    place = int(dice.integers(0, len(text)))
    hit = text[place]
    keys = _HALF_KANA if "\uff66" <= hit <= "\uff9f" else _KANA
    return text[:place] + ("", hit * 2, keys[int(dice.integers(len(keys)))])[int(dice.integers(3))] + text[place + 1 :]


def _plant(dice: np.random.Generator, people: People, family: int, other: int) -> Planted:
    everyone = np.arange(len(people), dtype=np.int64)
    planted = Planted(np.zeros(len(people), dtype=np.int64), everyone.copy(), np.zeros(len(people), dtype=np.bool_))
    _plant_family(dice, people, family, planted)
    _plant_other(dice, people, other, planted)
    owners = np.unique(planted.owner[planted.kind != SELF])
    planted.moved[owners] = dice.random(len(owners)) >= _KEPT
    return planted


def _plant_family(dice: np.random.Generator, people: People, count: int, planted: Planted) -> None:
    """Children, and some spouses, get the account of the household's head; a child's can be the spouse's."""
    today = people.born.max()
    children = np.flatnonzero((people.role == CHILD) & (today - people.born < _ADULT))
    spouses = np.flatnonzero(people.role == SPOUSE)
    young = min(len(children), round(_CHILDREN * count))
    chosen = [dice.choice(children, young, replace=False)]
    chosen.append(dice.choice(spouses, min(len(spouses), count - young), replace=False))
    rows = np.concatenate(chosen).astype(np.int64)
    planted.kind[rows] = FAMILY
    second = np.minimum(people.head + 1, len(people) - 1)
    usable = (people.role[second] == SPOUSE) & (planted.kind[second] == SELF) & (people.role == CHILD)
    owner = np.where(usable & (dice.random(len(people)) < 0.5), second, people.head)
    planted.owner[rows] = owner[rows]


def _plant_other(dice: np.random.Generator, people: People, count: int, planted: Planted) -> None:
    """The next person at the same counter on the same day left their account with the person before."""
    order = np.lexsort((people.at, people.place))
    before, after = order[:-1], order[1:]
    fits = (people.place[before] == people.place[after]) & (people.at[before] // 86400 == people.at[after] // 86400)
    fits &= people.home[before] != people.home[after]
    fits &= (planted.kind[before] == SELF) & (planted.kind[after] == SELF)
    pairs = np.flatnonzero(fits)
    pairs = np.sort(dice.choice(pairs, min(len(pairs), 2 * count), replace=False))
    pairs = pairs[np.concatenate([[True], np.diff(pairs) > 1])[: len(pairs)]]
    pairs = dice.permutation(pairs)[:count]
    planted.kind[before[pairs]] = OTHER
    planted.owner[before[pairs]] = after[pairs]
    people.at[before[pairs]] = people.at[after[pairs]] + 60
