"""CSV files for scoring. Records go out byte for byte as they came in, with the scores behind them.

A record ends at a line end outside quotes (RFC 4180). Files are read in pieces that end with a record; where a piece
ends depends on where it begins and on the file only.
"""

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from madoguchi.names.batch import GIVEN, SCORES
from madoguchi.names.columns import check_columns, scores_of
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.file_errors import EncodingWrong, InputUnreadable, LineMalformed
from madoguchi.names.parts import Parts, writing
from madoguchi.names.pick import picked

BYTES_PER_ROW = 64
"""How long a row is taken to be when a size in rows is asked for."""
_BOM = b"\xef\xbb\xbf"
_QUOTE, _NEWLINE, _RETURN = 0x22, 0x0A, 0x0D
_DOS_END = b"\x1a"
_LONGEST = 1 << 26
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """Whole records: their bytes, where they lie in the file, and the file's line numbers before and after them."""

    data: bytes
    end: int
    line: int
    lines: int

    @property
    def then(self) -> dict[str, int]:
        """Where the next piece begins."""
        return {"at": self.end, "line": self.line + self.lines}


class CsvFile:
    """A CSV file with a header.

    Raises `InputUnreadable`, `EncodingWrong`, `ColumnsMissing`, `ColumnsTaken`, `LineMalformed`.
    """

    def __init__(self, path: Path, *, encoding: str, rows: int) -> None:
        self._path, self._encoding, self._size = path, encoding, rows * BYTES_PER_ROW
        with _reading(path):
            self.total = path.stat().st_size
        piece = self._piece(0, 1, 1 << 20)
        ends = records(piece.data if piece else b"")[1]
        if piece is None or not len(ends):
            raise InputUnreadable(path.name)
        self._check_encoding(piece.data)
        self.header = piece.data[: ends[0]]
        self.newline = b"\r\n" if piece.data[ends[0] : ends[0] + 1] == b"\r" else b"\n"
        begin = piece.data.find(b"\n", ends[0]) + 1 or len(piece.data)
        self.start = {"at": begin, "line": 1 + piece.data.count(b"\n", 0, begin)}
        self.names = self._names()
        check_columns(self.names, needed=("id", "kanji", "kana"))

    def about(self) -> dict[str, object]:
        """What makes parts of two runs fit together."""
        return {"encoding": self._encoding, "columns": self.names, "piece": self._size}

    def work(self, then: dict[str, int]) -> Iterator[Piece]:
        """Pieces from a place on."""
        while (piece := self._piece(then["at"], then["line"], self._size)) is not None:
            yield piece
            then = piece.then

    def _piece(self, at: int, line: int, size: int) -> Piece | None:
        with _reading(self._path), self._path.open("rb") as file:
            while True:
                file.seek(at)
                data = file.read(size)
                if not data:
                    return None
                end = _last_end(data)
                if len(data) < size and end < len(data):
                    end = len(data) if data.count(b'"') % 2 == 0 else end
                if end:
                    return Piece(data[:end], at + end, line, data.count(b"\n", 0, end))
                if len(data) < size or size >= _LONGEST:
                    raise _malformed(line)
                size *= 4

    def _names(self) -> list[str]:
        try:
            text = self.header.removeprefix(_BOM).decode(self._encoding)
            return next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
        except UnicodeDecodeError as error:
            raise EncodingWrong(self._encoding) from error
        except csv.Error as error:
            raise _malformed(1) from error

    def _check_encoding(self, data: bytes) -> None:
        """Refuse what is clearly written in the other encoding; single broken texts are judged as such later."""
        if data.isascii():
            return
        utf8 = _is(data, "utf-8")
        if (self._encoding == "utf-8" and not utf8 and _is(data, "cp932")) or (self._encoding != "utf-8" and utf8):
            raise EncodingWrong(self._encoding)

    def scored(self, piece: Piece, engine: Engine) -> tuple[memoryview, int]:
        """The records with their scores, as they go into the output, and how many they are. Raises `LineMalformed`."""
        starts, ends = records(piece.data)
        if not len(starts):
            return memoryview(b""), 0
        batch = self._parsed(piece, starts, ends)
        suffixes = _suffixes(scores_of(batch, engine), self._encoding, self.newline)
        data = np.frombuffer(piece.data, dtype=np.uint8)
        rows = _binary(picked(Texts.over(data, np.array([0, len(data)])), starts, ends))
        joined = pc.binary_join_element_wise(rows, *suffixes, pa.scalar(b",", pa.large_binary()))
        _, places, values = joined.buffers()
        last = np.frombuffer(places, dtype=np.int64)[joined.offset + len(joined)]
        return memoryview(values)[: int(last)], len(starts)

    def _parsed(self, piece: Piece, starts: Places, ends: Places) -> pa.Table:
        text = piece.data.rstrip(_DOS_END)
        if self._encoding != "utf-8":
            text = text.decode(self._encoding, "replace").encode()
        wanted = [name for name in ("kanji", "kana", *GIVEN) if name in self.names]
        try:
            table = pcsv.read_csv(
                pa.BufferReader(text),
                read_options=pcsv.ReadOptions(column_names=self.names, use_threads=False, block_size=len(text) + 1),
                parse_options=pcsv.ParseOptions(newlines_in_values=True),
                convert_options=pcsv.ConvertOptions(
                    column_types=dict.fromkeys(self.names, pa.binary()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._malformed(piece, starts, ends) from error
        if table.num_rows != len(starts):
            raise self._malformed(piece, starts, ends)
        return table

    def _malformed(self, piece: Piece, starts: Places, ends: Places) -> LineMalformed:
        """The error that names the first record that is not right."""
        csv.field_size_limit(_LONGEST)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            text = piece.data[start:end].decode(self._encoding, "replace")
            try:
                fields = list(csv.reader(io.StringIO(text, newline=""), strict=True))
            except csv.Error:
                fields = []
            if len(fields) != 1 or len(fields[0]) != len(self.names):
                return _malformed(piece.line + piece.data.count(b"\n", 0, start))
        return _malformed(piece.line)

    def join(self, parts: Parts, engine: Engine) -> Iterator[int]:
        """Put the parts together; answers the rows of each part when it is written."""
        del engine
        with writing(), parts.joined.open("wb") as out:
            out.write(b",".join([self.header, *(name.encode() for name in SCORES)]) + self.newline)
            for number, part in enumerate(parts.parts):
                with parts.path(number).open("rb") as file:
                    shutil.copyfileobj(file, out, 1 << 20)
                yield part.rows


def _malformed(line: int) -> LineMalformed:
    return LineMalformed(f"{line}行目")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputUnreadable(path.name) from error


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _outside(data: bytes) -> Places:
    """Places of line ends outside quotes."""
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    newlines, quotes = np.flatnonzero(bytes_ == _NEWLINE), np.flatnonzero(bytes_ == _QUOTE)
    return newlines[np.searchsorted(quotes, newlines) % 2 == 0] if len(quotes) else newlines


def _last_end(data: bytes) -> int:
    newlines = _outside(data)
    return int(newlines[-1]) + 1 if len(newlines) else 0


def records(data: bytes) -> tuple[Places, Places]:
    """Where each record begins and ends, without its line end; empty lines are none."""
    newlines = _outside(data)
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [len(data)]])
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    full = ends > starts
    returned = full & (bytes_[np.maximum(ends, 1) - 1] == _RETURN) if len(data) else full
    ends = ends - returned
    if data.endswith(_DOS_END):
        ends[-1] -= 1
    kept = ends > starts
    return starts[kept].astype(np.int64), ends[kept].astype(np.int64)


def _binary(texts: Texts) -> pa.LargeBinaryArray:
    return pa.Array.from_buffers(
        pa.large_binary(), len(texts), [None, pa.py_buffer(np.ascontiguousarray(texts.at)), pa.py_buffer(texts.data)]
    )


def _suffixes(scores: list[pa.Array], encoding: str, newline: bytes) -> list[pa.Array]:
    """The scores as they stand in the file; the last with the line end."""
    verdict, *chances, reason = scores
    texts = [chance.cast(pa.large_string()).cast(pa.large_binary()) for chance in chances]
    return [_encoded(verdict, encoding, b""), *texts, _encoded(reason, encoding, newline)]


def _encoded(column: pa.DictionaryArray, encoding: str, end: bytes) -> pa.Array:
    words = pa.array([word.encode(encoding) + end for word in column.dictionary.to_pylist()], pa.large_binary())
    return words.take(column.indices)
