"""Reading UTF-8 texts as folded symbols, compiled: the one implementation of the folding that `fold` describes.

Nothing outside the given range is read, nothing outside the given arrays written, whatever the bytes are.
"""

import numpy as np

from madoguchi.names import fold
from madoguchi.names.compiled import compiled

OK, EMPTY_KANJI, EMPTY_KANA, NOT_KANA, NOT_KANJI, LATIN, UNKNOWN, TOO_LONG, NOT_TEXT, ONE_PART = range(10)
"""What came of a pair: 0, or why it cannot be judged."""

_MAX_BYTES = 1024
_PLAIN = np.frombuffer(fold.PLAIN, dtype=np.uint8)
_VOICE = np.frombuffer(fold.WITH_VOICE, dtype=np.uint8)
_SEMIVOICE = np.frombuffer(fold.WITH_SEMIVOICE, dtype=np.uint8)
_ROW = np.frombuffer(fold.ROW, dtype=np.uint8)
_LENGTHENED = np.frombuffer(fold.LENGTHENED, dtype=np.uint8)
_LONG, _SPACE, _IGNORED, _VOICED, _SEMIVOICED = fold.LONG, fold.SPACE, fold.IGNORED, fold.VOICED, fold.SEMIVOICED
_AGAIN, _LATIN, _UNKNOWN, _KANJI_FIRST = fold.AGAIN, fold.LATIN, fold.UNKNOWN, fold.KANJI_FIRST
_O, _E = fold.code_of("オ"), fold.code_of("エ")


@compiled
def next_point(data, at, end):
    """Code point at `at` and the place after it; -1 where the bytes are no UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    size = 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4 if 0xF0 <= first < 0xF5 else 0
    if size == 0 or at + size > end:
        return -1, end
    point = first & (0x7F >> size)
    for place in range(at + 1, at + size):
        byte = np.int64(data[place])
        if byte & 0xC0 != 0x80:
            return -1, end
        point = point << 6 | byte & 0x3F
    least = 0x80 if size == 2 else 0x800 if size == 3 else 0x10000
    legal = least <= point < 0x110000 and not 0xD800 <= point < 0xE000
    return (point, at + size) if legal else (-1, end)


@compiled
def voiced(symbol, code):
    """A kana code with the voicing mark that follows it; the same code where the mark says nothing."""
    if code >= _LONG:
        return code
    changed = np.int64(_VOICE[code] if symbol == _VOICED else _SEMIVOICE[code])
    return changed if changed else code


@compiled
def _kana_refused(symbol):
    return NOT_KANA if symbol == 0 or symbol > _LONG else OK


@compiled
def _kanji_refused(symbol):
    if symbol == _LATIN:
        return LATIN
    if symbol == _UNKNOWN:
        return UNKNOWN
    return NOT_KANJI if symbol == 0 or _LONG < symbol < _KANJI_FIRST else OK


@compiled
def written(data, at, end, pages, symbols):
    """The next symbol that says something, and the place after it; -1 where the bytes are no UTF-8, -2 at the end."""
    while at < end:
        point, at = next_point(data, at, end)
        if point < 0:
            return -1, at
        symbol = np.int64(symbols[pages[point >> 8], point & 255])
        if symbol != _IGNORED:
            return symbol, at
    return -2, at


@compiled
def _collect(data, at, end, pages, symbols, kana, out):
    """Symbols of a text, marks joined and repetitions written out: (status, length, place of its only space or -1).

    `kana` is 1 for an account-holder name, 0 for a registry name. Kana stay as they were written (small, ヂ); `out` is
    full at its size.
    """
    if end - at > _MAX_BYTES:
        return TOO_LONG, 0, -1
    n, split, spaces, pending = 0, -1, 0, False
    symbol, at = written(data, at, end, pages, symbols)
    while symbol >= 0:
        if symbol == _SPACE:
            pending = n > 0
        elif symbol in (_VOICED, _SEMIVOICED):
            if n > 0:
                out[n - 1] = voiced(symbol, np.int64(out[n - 1]))
        else:
            symbol = np.int64(out[n - 1]) if symbol == _AGAIN and n > 0 else symbol
            status = _kana_refused(symbol) if kana else _kanji_refused(symbol)
            status = status if n < out.size else TOO_LONG
            if status != OK:
                return status, 0, -1
            if pending:
                spaces, split, pending = spaces + 1, n, False
            out[n] = symbol
            n += 1
        symbol, at = written(data, at, end, pages, symbols)
    return (NOT_TEXT if symbol == -1 else OK), n, (split if spaces == 1 else -1)


@compiled
def read_kanji(data, at, end, pages, symbols, out):
    """Fold the registry name into `out` (int64): (status, length, place of its only space or -1)."""
    status, n, split = _collect(data, at, end, pages, symbols, 0, out)
    if status != OK or n == 0:
        return (status if status else EMPTY_KANJI), 0, -1
    for place in range(n):
        if out[place] < _LONG:
            out[place] = _PLAIN[out[place]]
    return OK, n, split


@compiled
def read_kana(data, at, end, pages, symbols, plain, long):
    """Fold the account-holder name into plain and long codes (uint8): (status, length, its only space or -1)."""
    status, n, split = _collect(data, at, end, pages, symbols, 1, plain)
    if status != OK:
        return status, 0, -1
    n, split = _settle(plain, n, split)
    lengthen(plain, long, n, split)
    return (OK if n else EMPTY_KANA), n, split


@compiled
def _settle(plain, n, split):
    """Small kana large and long marks as vowels, in place; long marks after nothing are left out."""
    kept, where = 0, split
    for place in range(n):
        if place == split:
            where = kept
        code = plain[place]
        if code == _LONG:
            row = _ROW[plain[kept - 1]] if kept > 0 and kept != where else 0
            if row == 0:
                continue
            code = _LENGTHENED[row]
        plain[kept] = _PLAIN[code]
        kept += 1
    return kept, (where if 0 < where < kept else -1)


@compiled
def lengthen(plain, long, n, split):
    """Write the long codes of n plain ones; the code at `split` begins a half and stays plain."""
    for place in range(n):
        code = plain[place]
        if place > 0 and place != split:
            row = _ROW[plain[place - 1]]
            if (row == 5 and code == _O) or (row == 4 and code == _E):
                code = _LENGTHENED[row]
        long[place] = code
