"""Taking texts, and pieces of texts, out of buffers into new ones; compiled, no Python object per row."""

# mypy: allow-untyped-defs

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names import fold
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.reading import LATIN, OK, read_kanji

Places = npt.NDArray[np.int64]
_SPACE = np.frombuffer("\u3000".encode(), dtype=np.uint8)
_MOST = 1024


@njit(cache=True, nogil=True)
def _copy(data, begins, ends, out, at):
    for row in range(begins.size):
        size = ends[row] - begins[row]
        out[at[row] : at[row] + size] = data[begins[row] : ends[row]]


def picked(texts: Texts, begins: Places, ends: Places) -> Texts:
    """Pieces of a buffer, given by their places in it, as texts of their own."""
    at = np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64)
    out = np.empty(int(at[-1]), dtype=np.uint8)
    _copy(texts.data, begins, ends, out, at)
    return Texts.over(out, at)


def chosen(texts: Texts, rows: Places) -> Texts:
    """These rows."""
    return picked(texts, texts.at[rows], texts.at[rows + 1])


@njit(cache=True, nogil=True)
def _cut_place(data, begin, end, size, pages, symbols, scratch):
    """Where the text goes on after `size` folded characters and the signs that belong to them; `end` if nowhere.

    Characters of a name in Latin letters are counted as they stand.
    """
    at, characters = begin, 0
    while at < end:
        after, characters = at + 1, characters + 1
        while after < end and data[after] & 0xC0 == 0x80:
            after += 1
        status, n, _ = read_kanji(data, begin, after, pages, symbols, scratch)
        if (status == OK and n > size) or (status == LATIN and characters > size):
            return at
        at = after
    return end


@njit(cache=True, nogil=True)
def _cut_places(data, at, sizes, letters, scratch, places):
    for row in range(sizes.size):
        begin, end = at[row], at[row + 1]
        places[row] = end
        if sizes[row] > 0 and end - begin <= _MOST:
            places[row] = _cut_place(data, begin, end, sizes[row], letters[0], letters[1], scratch)


def cut_places(engine: Engine, kanji: Texts, sizes: npt.NDArray[np.uint8]) -> Places:
    """For each registry name, where its given name begins if the surname has so many folded characters.

    A place in the buffer; the end of the text for size 0 and where there is nothing after the surname.
    """
    places = np.zeros(len(kanji), dtype=np.int64)
    scratch = np.zeros(fold.MAX_KANJI, dtype=np.int64)
    _cut_places(kanji.data, kanji.at, sizes, engine.letters, scratch, places)
    return places


@njit(cache=True, nogil=True)
def _lay(first, first_at, second, begins, ends, space, out, at):
    for row in range(begins.size):
        place = at[row]
        size = first_at[row + 1] - first_at[row]
        out[place : place + size] = first[first_at[row] : first_at[row + 1]]
        if ends[row] > begins[row]:
            place += size
            out[place : place + space.size] = space
            out[place + space.size : at[row + 1]] = second[begins[row] : ends[row]]


def laid(first: Texts, second: Texts, tails: Places) -> Texts:
    """Each first text, and after a space what the second has from its tail on, if anything."""
    begins, ends = tails, second.at[1:]
    sizes = np.diff(first.at) + np.where(ends > begins, ends - begins + _SPACE.size, 0)
    at = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    out = np.empty(int(at[-1]), dtype=np.uint8)
    _lay(first.data, first.at, second.data, begins, ends, _SPACE, out, at)
    return Texts.over(out, at)
