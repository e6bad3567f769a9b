"""The kernel with its tables: texts in, likelihoods, chances and facts out. One pair and millions take the same way."""

import threading
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from madoguchi.names.compiled import forget_stale, sources_sum
from madoguchi.names.folded import Folder, as_bytes
from madoguchi.names.kernel import judge, room_for_rows
from madoguchi.names.latin.kernel import judge_latin
from madoguchi.names.tables import LATIN_ARRAYS, LETTER_ARRAYS, Tables, shipped

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """Texts lying in one buffer: text `row` is `data[at[row]:at[row + 1]]`, UTF-8."""

    data: Bytes
    at: Places

    @classmethod
    def of(cls, texts: list[str]) -> "Texts":
        """Lay strings into a buffer."""
        parts = [as_bytes(text) for text in texts]
        at = np.fromiter(accumulate(map(len, parts), initial=0), dtype=np.int64, count=len(parts) + 1)
        at.flags.writeable = False
        return cls(np.frombuffer(b"".join(parts), dtype=np.uint8), at)

    @classmethod
    def over(cls, buffer: Any, at: npt.NDArray[Any]) -> "Texts":
        """Texts in a buffer of somebody else's. Raises ValueError if a place lies outside it or before the last."""
        data = np.frombuffer(buffer, dtype=np.uint8) if buffer is not None and len(buffer) else np.zeros(0, np.uint8)
        if not at.size or at[0] < 0 or at[-1] > data.size or bool(np.any(np.diff(at) < 0)):
            raise ValueError("places of texts are not a rising row inside the buffer")
        return cls(_fixed(data), _fixed(at.astype(np.int64)))

    def __len__(self) -> int:
        return self.at.size - 1


@dataclass(frozen=True)
class Judged:
    """Rows of `likely` and `chances` (columns of `kernel`), and of `facts`: see `kernel.judge`."""

    likely: Floats
    chances: Floats
    facts: Bytes


def _fixed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, not to be written to: the kernel is compiled for this one kind."""
    fixed = np.ascontiguousarray(array).view()
    fixed.flags.writeable = False
    return fixed


_KEPT = threading.local()


def _room() -> tuple[Any, ...]:
    """The kernel's working memory of this thread."""
    if not hasattr(_KEPT, "room"):
        _KEPT.room = room_for_rows()
    room: tuple[Any, ...] = _KEPT.room
    return room


def forget_stale_code() -> None:
    """Delete machine code of older sources of this room; before anything compiled runs."""
    forget_stale((judge, judge_latin), sources_sum())


class Engine:
    """Judges texts by one set of tables. Threads may share it; the kernel runs without the GIL."""

    def __init__(self, tables: Tables) -> None:
        forget_stale_code()
        arrays = {name: _fixed(array) for name, array in tables.arrays().items()}
        self._fits = arrays.pop("fit"), arrays.pop("latin_fit")
        every = tuple(arrays.values())
        self._arrays = every[:LETTER_ARRAYS], every[LETTER_ARRAYS:-LATIN_ARRAYS], every[-LATIN_ARRAYS:]
        self._tables, self._kept = tables, threading.local()

    @property
    def fit(self) -> Floats:
        """The calibration in use."""
        return self._fits[0]

    @property
    def letters(self) -> tuple[npt.NDArray[Any], ...]:
        """`pages` and `symbols` of the tables, as compiled readers take them."""
        return self._arrays[0]

    def folder(self) -> Folder:
        """The folder of these tables for the calling thread."""
        if not hasattr(self._kept, "folder"):
            self._kept.folder = Folder(self._tables.pages, self._tables.symbols)
        folder: Folder = self._kept.folder
        return folder

    def judge(self, kanji: Texts, kana: Texts) -> Judged:
        """Judge row by row. Raises ValueError if the two are not equally long."""
        if len(kanji) != len(kana):
            raise ValueError("kanji and kana are not equally many")
        rows = len(kanji)
        judged = Judged(np.zeros((rows, 4)), np.zeros((rows, 4)), np.zeros((rows, 5), dtype=np.uint8))
        judge(
            kanji.data, kanji.at, kana.data, kana.at, self._arrays, self._fits, _room(),
            judged.likely, judged.chances, judged.facts,
        )  # fmt: skip
        return judged


@cache
def shipped_engine() -> Engine:
    """The engine with the tables that come with the product. Raises `TablesMissing`, `TablesDamaged`."""
    return Engine(shipped())
