"""Two tables of names in Latin letters: the dictionary of words (see `lookup`), and letter groups; compiled."""

from madoguchi.names.compiled import compiled
from madoguchi.names.lookup import hash_half, insert, seed_of


@compiled
def word_hash(letters, begin, end):
    """Hash of a word's letters, signs included; with its kana after them that of a reading."""
    return hash_half(seed_of(0, 0), letters, begin, end)


@compiled
def fill_book(book, letters, letters_at, kana, kana_at, values):
    """Store words, and their readings with a value each."""
    for pair in range(values.size):
        word = word_hash(letters, letters_at[pair], letters_at[pair + 1])
        insert(book, word, 0)
        insert(book, hash_half(word, kana, kana_at[pair], kana_at[pair + 1]), values[pair])


@compiled
def slot_of(groups, key):
    """Where a group of letters stands, or -1; -2 - place where it could be put."""
    mask = groups.size - 1
    place = (key * 0x9E3779B1 >> 12) & mask
    for _ in range(groups.size):
        if groups[place] == key:
            return place
        if groups[place] == 0:
            return -2 - place
        place = (place + 1) & mask
    return -1
