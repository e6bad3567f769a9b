"""Folded names as Python values, by the same compiled reader the kernel uses."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madoguchi.names import fold
from madoguchi.names.reading import read_kana, read_kanji


@dataclass(frozen=True)
class Folded:
    """Status (see `reading`), codes, and where the only space stood (-1: none or several)."""

    status: int
    codes: tuple[int, ...]
    split: int


def as_bytes(text: str) -> bytes:
    """UTF-8; lone surrogates, which stand for no character, become a question mark that stands in no name."""
    return text.encode("utf-8", "replace")


class Folder:
    """Folds texts by given page tables."""

    def __init__(self, pages: npt.NDArray[np.uint16], symbols: npt.NDArray[np.uint16]) -> None:
        self._pages, self._symbols = pages, symbols
        self._kanji = np.zeros(fold.MAX_KANJI, dtype=np.int64)
        self._plain = np.zeros(fold.MAX_KANA, dtype=np.uint8)
        self._long = np.zeros(fold.MAX_KANA, dtype=np.uint8)

    def kanji(self, text: str) -> Folded:
        """Symbols of a registry name."""
        data = np.frombuffer(as_bytes(text), dtype=np.uint8)
        status, size, split = read_kanji(data, 0, data.size, self._pages, self._symbols, self._kanji)
        return Folded(int(status), tuple(self._kanji[:size].tolist()), int(split))

    def kana(self, text: str) -> Folded:
        """Long codes of an account-holder name."""
        data = np.frombuffer(as_bytes(text), dtype=np.uint8)
        status, size, split = read_kana(data, 0, data.size, self._pages, self._symbols, self._plain, self._long)
        return Folded(int(status), tuple(self._long[:size].tolist()), int(split))
