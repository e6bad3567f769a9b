"""Reading names in Latin letters, and their account holders with every space; compiled.

Nothing outside the given range is read, nothing outside the given arrays written, whatever the bytes are.
"""

import numpy as np

from madoguchi.names import fold
from madoguchi.names.compiled import compiled
from madoguchi.names.latin.fold import BEGIN, BREAK, END, LETTERS, MAX_LETTERS, MAX_WORDS, NUMBER, PAIR, PASSED
from madoguchi.names.reading import (
    EMPTY_KANA,
    EMPTY_KANJI,
    LATIN,
    NOT_KANA,
    NOT_KANJI,
    NOT_TEXT,
    OK,
    ONE_PART,
    TOO_LONG,
    next_point,
    voiced,
    written,
)

MAX_WORD = 40
"""Letters of one word."""
FULL = 30
"""Half-width characters a bank keeps of an account-holder name: one of just so many may go on."""
_LONG, _SPACE, _VOICED, _SEMIVOICED = fold.LONG, fold.SPACE, fold.VOICED, fold.SEMIVOICED
_AGAIN = fold.AGAIN
_MAX_BYTES = 1024
_PLAIN = np.frombuffer(fold.PLAIN, dtype=np.uint8)
_ROW = np.frombuffer(fold.ROW, dtype=np.uint8)
_LENGTHENED = np.frombuffer(fold.LENGTHENED, dtype=np.uint8)
_O, _E = fold.code_of("オ"), fold.code_of("エ")
_MARKED = np.zeros(256, dtype=np.int64)
_MARKED[[code for code in (*fold.WITH_VOICE, *fold.WITH_SEMIVOICE) if code]] = 1


@compiled
def _refused(point, entry):
    """Why a character cannot stand in a name in Latin letters."""
    if entry == NUMBER:
        return NOT_KANJI
    mixed = 0x3041 <= point < 0xA000 or 0xF900 <= point < 0xFB00 or 0x20000 <= point < 0x40000
    return LATIN if mixed else NOT_KANJI


@compiled
def _end_word(letters, words, size, n):
    """Close the word that is open, if any: (letters so far, words so far)."""
    if n == words.shape[0] or words[n, 0] < 0:
        return size, n
    letters[size] = END
    words[n, 1] = size + 1
    return size + 1, n + 1


@compiled
def _add_letters(letters, word, size, entry, number):
    """Add what a character stands for to the open word, opening it first if need be; letters so far."""
    if word[0] < 0:
        word[0], word[2] = size, number
        letters[size] = BEGIN
        size += 1
    if entry > PAIR:
        letters[size] = (entry - PAIR) // 27
        size, entry = size + 1, (entry - PAIR) % 27
    letters[size] = entry
    return size + 1


@compiled
def read_latin(data, at, end, letters, words):
    """Fold a registry name: (status, words).

    `letters` (uint8, `MAX_LETTERS`) gets the words one after the other, each between its signs; `words[w]` (int64,
    `MAX_WORDS` of 3) the places of its begin and end in `letters` and its first character's number in the text.
    """
    if end - at > _MAX_BYTES:
        return TOO_LONG, 0
    size, n, count = 0, 0, 0
    words[:, 0] = -1
    while at < end:
        point, at = next_point(data, at, end)
        if point < 0:
            return NOT_TEXT, 0
        entry = np.int64(LETTERS[point]) if point < LETTERS.size else 0
        count += 1
        if entry == BREAK:
            size, n = _end_word(letters, words, size, n)
        elif entry > PAIR or 0 < entry < BEGIN:
            if n == MAX_WORDS or size + 4 > MAX_LETTERS:
                return TOO_LONG, 0
            size = _add_letters(letters, words[n], size, entry, count - 1)
            if size - words[n, 0] > MAX_WORD:
                return TOO_LONG, 0
        elif entry != PASSED:
            return _refused(point, entry), 0
    size, n = _end_word(letters, words, size, n)
    if size - 2 * n == 1:
        return ONE_PART, 0
    return (OK if n else EMPTY_KANJI), n


@compiled
def _gather(data, at, end, pages, symbols, out):
    """Kana and long marks of a text as written: (status, length, bits of the places after a space, half-width size)."""
    m, starts, width, pending = 0, np.int64(0), 0, False
    symbol, at = written(data, at, end, pages, symbols)
    while symbol >= 0:
        if symbol == _SPACE:
            pending = m > 0
        elif symbol in (_VOICED, _SEMIVOICED):
            if m > 0:
                width -= _MARKED[out[m - 1]]
                out[m - 1] = voiced(symbol, np.int64(out[m - 1]))
                width += _MARKED[out[m - 1]]
        else:
            symbol = np.int64(out[m - 1]) if symbol == _AGAIN and m > 0 else symbol
            if symbol == 0 or symbol > _LONG or m == out.size:
                return (TOO_LONG if m == out.size else NOT_KANA), 0, 0, 0
            if pending:
                starts, width, pending = starts | np.int64(1) << m, width + 1, False
            out[m] = symbol
            m, width = m + 1, width + 1 + _MARKED[symbol]
        symbol, at = written(data, at, end, pages, symbols)
    return (NOT_TEXT if symbol == -1 else OK), m, starts, width


@compiled
def _settle(plain, n, starts):
    """Small kana large and long marks as vowels, in place; long marks after nothing are left out: (length, starts)."""
    kept, where, opens = 0, np.int64(0), True
    for place in range(n):
        opens = opens or starts >> place & 1 == 1
        code = np.int64(plain[place])
        if code == _LONG:
            row = 0 if opens else _ROW[plain[kept - 1]]
            if row == 0:
                continue
            code = np.int64(_LENGTHENED[row])
        if opens and kept:
            where |= np.int64(1) << kept
        plain[kept] = _PLAIN[code]
        kept, opens = kept + 1, False
    return kept, where


@compiled
def read_holder(data, at, end, pages, symbols, plain, long):
    """Fold an account-holder name: (status, length, bits of the places where a word begins, half-width characters).

    Codes are those of `reading.read_kana`, but every space is kept; the first place has no bit.
    """
    if end - at > _MAX_BYTES:
        return TOO_LONG, 0, np.int64(0), 0
    status, n, starts, width = _gather(data, at, end, pages, symbols, plain)
    if status != OK:
        return status, 0, np.int64(0), 0
    m, starts = _settle(plain, n, starts)
    for place in range(m):
        code = plain[place]
        if place > 0 and not starts >> place & 1:
            row = _ROW[plain[place - 1]]
            if (row == 5 and code == _O) or (row == 4 and code == _E):
                code = _LENGTHENED[row]
        long[place] = code
    return (OK if m else EMPTY_KANA), m, starts, width
