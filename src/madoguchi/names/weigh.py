"""From what EM counted to what the kernel reads: how likely each kanji is read how, at each place of each half.

Counts lean on wider ones (place on role, role on both roles). Readings that no name in the dictionary shows are added
where they are usual ways to make one: the beginning of a known reading (桜 サ), a voiced beginning (川 ガワ), an ending
of names of one kanji (広 ヒロシ). Whatever is left is read by pieces of kana that stand for many kanji.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madoguchi.names import fold
from madoguchi.names.learn import ALONE, Floats, Ints, Readings

STEP = 24.0
"""A stored weight `v` is the probability exp(-v / STEP); 255 is none."""
ODD_SIZES = (0.0, 0.45, 0.4, 0.12, 0.03)
"""How often an unknown reading has so many kana."""
ODD_KANA = 1.0 / 45.0
"""Chance of one kana of an unknown reading that no kanji has."""
COMMON = (0.5, 0.7)
"""Share of unknown readings that are a piece which other kanji have, by role."""
_SHARED, _OF_ROLE = 3.0, (50.0, 30.0)
_ODD_LEAST, _ODD_MORE, _ODD_USES = (0.003, 0.002), (1.0, 3.0), (40.0, 60.0)
_ODD_MOST = 0.3
_LEAST = 1e-3
_LONGER_LEAST = 1.5
_CODES = (1 << 40) - 1
_MADE_LEAST, _MADE_USES = 0.05, 50.0
_SHORTER, _VOICED, _LONGER = 0.03, 0.02, 0.1
_ENDINGS = [fold.code_of(kana) for kana in "シルムトオコキミカヤヘイスエ"]


@dataclass(frozen=True)
class Weights:
    """`keys` (kanji << 40 | codes) and `chances[·, role * 4 + place]`; `odd[kanji, role]`: share of unknown readings.

    `pieces[role]` maps kana pieces (codes, first lowest) to their share of what kanji are read as.
    """

    keys: Ints
    chances: Floats
    odd: Floats
    pieces: tuple[dict[int, float], dict[int, float]]


def weigh(surname: Readings, given: Readings, kanji: int) -> Weights:
    """Weights of every reading; `kanji` is one more than the greatest symbol."""
    keys = np.union1d(surname.keys, given.keys)
    uses = np.zeros((2, len(keys), 4))
    for role, side in enumerate((surname, given)):
        uses[role, np.searchsorted(keys, side.keys)] = side.uses
    owners = keys >> 40
    roles = [_role(uses, role, owners) for role in (0, 1)]
    odd = np.stack([_odd(uses[role].sum(1), role, owners, kanji) for role in (0, 1)], axis=1)
    pieces = tuple(_pieces(uses[role].sum(1), keys) for role in (0, 1))
    made = dict(_made(keys, roles[1][0], _sums(uses[1].sum(1), owners)))
    every = np.union1d(keys, np.array(sorted(made), dtype=np.int64))
    chances = np.zeros((len(every), 8))
    chances[np.searchsorted(every, keys)] = np.concatenate([places for _, places in roles], axis=1)
    for key, added in made.items():
        chances[np.searchsorted(every, key), 4:] += added
    sums = np.stack([_sums(column, every >> 40) for column in chances.T], axis=1)
    chances /= np.maximum(sums, 1e-300)
    kept = chances.max(1) > _LEAST
    return Weights(every[kept], chances[kept], odd, (pieces[0], pieces[1]))


def _sums(values: Floats, owners: Ints) -> Floats:
    """For each reading, the sum over all readings of its kanji."""
    numbers = np.unique(owners, return_inverse=True)[1]
    return np.asarray(np.bincount(numbers, weights=values)[numbers])


def _role(uses: Floats, role: int, owners: Ints) -> tuple[Floats, Floats]:
    """Chance of each reading in a role, and at each place of it."""
    both, own = uses.sum((0, 2)), uses[role].sum(1)
    wide = both / np.maximum(_sums(both, owners), 1e-9)
    chance = (own + _SHARED * wide) / (_sums(own, owners) + _SHARED)
    lean = _OF_ROLE[role]
    places = [(column + lean * chance) / (_sums(column, owners) + lean) for column in uses[role].T]
    return chance, np.stack(places, axis=1)


def _odd(uses: Floats, role: int, owners: Ints, kanji: int) -> Floats:
    """Share of unknown readings of every kanji: the rarer, the more."""
    counts = np.bincount(owners, weights=uses, minlength=kanji)[:kanji]
    return np.asarray(np.minimum(_ODD_LEAST[role] + _ODD_MORE[role] / (counts + _ODD_USES[role]), _ODD_MOST))


def _pieces(uses: Floats, keys: Ints) -> dict[int, float]:
    """Share of each piece of kana, every kanji that is read so counting once at most; long ones that several share."""
    found, numbers = np.unique(keys & _CODES, return_inverse=True)
    counts = np.bincount(numbers, weights=np.minimum(uses, 1.0))
    kept = (counts >= _LONGER_LEAST) | (found < 1 << 16)
    return dict(zip(found[kept].tolist(), (counts / counts.sum())[kept].tolist(), strict=True))


def codes_of(piece: int) -> list[int]:
    """Kana codes of a piece."""
    return [code for place in range(5) if (code := piece >> 8 * place & 255)]


def piece_of(codes: Sequence[int]) -> int:
    """The piece with these kana codes."""
    return sum(code << 8 * place for place, code in enumerate(codes))


def _made(keys: Ints, chance: Floats, counts: Floats) -> Iterator[tuple[int, Floats]]:
    """Keys and added weights by place of readings made from known ones, in given names."""
    made: defaultdict[int, Floats] = defaultdict(lambda: np.zeros(4))
    for number in np.flatnonzero((chance > _MADE_LEAST) & (counts >= _MADE_USES)):
        base, codes = int(keys[number]) & ~_CODES, codes_of(int(keys[number]))
        for piece, weight in _ways(codes):
            made[base | piece_of(piece)] += chance[number] * weight
        for ending in _ENDINGS if len(codes) < 4 else ():
            made[base | piece_of([*codes, ending])][ALONE] += chance[number] * _LONGER / len(_ENDINGS)
    yield from made.items()


def _ways(codes: list[int]) -> Iterator[tuple[list[int], float]]:
    for size in range(1, len(codes)):
        yield codes[:size], _SHORTER / (len(codes) - 1)
    if voiced := fold.WITH_VOICE[codes[0]]:
        yield [voiced, *codes[1:]], _VOICED
    if unvoiced := _UNVOICED.get(codes[0]):
        yield [unvoiced, *codes[1:]], _VOICED


_UNVOICED = {voiced: code for code, voiced in enumerate(fold.WITH_VOICE) if voiced}


def stored(chances: Floats, step: float) -> npt.NDArray[np.uint8]:
    """Probabilities as -step ln P in a byte; 255 for what is below all that fits."""
    costs = -step * np.log(np.maximum(chances, 1e-300))
    return np.minimum(np.rint(np.maximum(costs, 0.0)), 255).astype(np.uint8)
