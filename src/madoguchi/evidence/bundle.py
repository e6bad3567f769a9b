"""Writes a bundle (docs/evidence.md): a folder, or the same as a zip. Streams; what is held grows with the tiles named.

The caller brings entries, tiles and contents; nothing here knows where they are kept.
"""

import base64
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from madoguchi.evidence import tiles
from madoguchi.evidence.errors import BundleRefused, ProofBroken
from madoguchi.evidence.note import Checkpoint, Verifier, open_note

FORMAT = "madoguchi-evidence-1"
HEAD = frozenset({"format", "origin", "scope", "log_key", "made_at", "labels", "counts"})
"""What `bundle.json` holds."""

WHOLE = "all"
PARTS = ("period", "visit", "incident")
"""The kinds of scope: the whole log, or a part of it."""

LONGEST_ENTRY = 0xFFFF
"""Bytes of an entry, as C2SP's entry bundles can hold them."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_HASH = 32


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A content that is shown: `payload` is its canonical JSON as text, `salt` 32 bytes in base64."""

    visit: str | None
    commitment: str
    kind: str
    salt: str
    payload: str


@dataclass(frozen=True, slots=True)
class Erased:
    """A content that is no longer there. `erased_at`: RFC 3339."""

    visit: str | None
    commitment: str
    kind: str
    erased_at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """How many of each went into the bundle."""

    entries: int
    payloads: int
    erasures: int
    anchors: int
    stamps: int


def write(
    folder: Path,
    *,
    scope: Mapping[str, Any],
    log_key: str,
    labels: Mapping[str, str],
    made_at: str,
    checkpoint_note: str,
    entries: Iterable[tuple[int, bytes]],
    read_tile: tiles.Read,
    payloads: Iterable[Disclosed] = (),
    erasures: Iterable[Erased] = (),
    anchors: Iterable[str] = (),
    stamps: Iterable[tuple[int, bytes]] = (),
) -> Written:
    """Write the bundle into `folder`, which must not exist: it appears when it is complete, or not at all.

    `scope`: `{"kind": "all" | "period" | "visit" | "incident", …}`, with `visits` (a list) for the last two. `log_key`:
    verifier key text. `checkpoint_note`: the signed note that all proofs lead to. `entries`: (position, bytes),
    ascending; for "all" every one. `anchors`: older signed notes. `stamps`: (size, token). Raises `BundleRefused` for
    what makes no bundle, `CheckpointBroken` for notes that are none, `ProofBroken` for missing tiles.
    """
    if folder.exists():
        raise BundleRefused(f"{folder.name} is there already")
    if scope.get("kind") not in (WHOLE, *PARTS):
        raise BundleRefused("a scope is all, period, visit or incident")
    text, _ = open_note(checkpoint_note, [Verifier.parse(log_key)])
    tree = tiles.Tree(read_tile, Checkpoint.parse(text).size)
    whole = scope["kind"] == WHOLE
    under = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _text(under / "checkpoint", checkpoint_note)
        count, needed = _entries(under, entries, tree.size, whole=whole)
        _tiles(under, tree, needed)
        written = Written(
            count,
            _lines(under / "payloads.jsonl", payloads),
            _lines(under / "erasures.jsonl", erasures),
            _anchors(under, anchors, tree, whole=whole),
            _stamps(under, stamps),
        )
        head = {"format": FORMAT, "origin": Verifier.parse(log_key).name, "scope": dict(scope), "log_key": log_key}
        head |= {"made_at": made_at, "labels": dict(labels), "counts": asdict(written)}
        _text(under / "bundle.json", json.dumps(head, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        under.chmod(0o755)
        under.rename(folder)
    except BaseException:
        shutil.rmtree(under, ignore_errors=True)
        raise
    return written


def pack(folder: Path, target: Path) -> None:
    """The bundle in `folder` as one zip: the same bytes for the same files. Appears when complete, or not at all."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    handle, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in names:
                _pack(packed, name, folder / name)
        os.chmod(part, 0o644)
        os.rename(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _pack(packed: zipfile.ZipFile, name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
    info.file_size = path.stat().st_size
    with path.open("rb") as source, packed.open(info, "w") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _entries(
    under: Path, entries: Iterable[tuple[int, bytes]], size: int, *, whole: bool
) -> tuple[int, Iterable[tuple[int, int, int]]]:
    """Write the entries; returns how many, and which tiles (level, number, width) the bundle needs."""
    count, before, numbers = 0, -1, set()
    with (under / "events.jsonl").open("wb") as file:
        for position, entry in _packed(under, entries) if whole else entries:
            _check_entry(position, entry, before, size, whole=whole)
            file.write(b"%d %b\n" % (position, entry))
            if not whole:
                numbers.add(position // tiles.WIDTH)
            count, before = count + 1, position
    if whole and count != size:
        raise BundleRefused(f"{count} entries for a checkpoint over {size}")
    return count, tiles.tiles_of(size) if whole else tiles_for(numbers, size)


def _check_entry(position: int, entry: bytes, before: int, size: int, *, whole: bool) -> None:
    if not before < position < size or (whole and position != before + 1):
        raise BundleRefused(f"entry {position} after {before}, of {size}")
    if b"\n" in entry or not 0 < len(entry) <= LONGEST_ENTRY:
        raise BundleRefused(f"entry {position} is empty, too long, or more than a line")


def _packed(under: Path, entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Pass the entries on, and write each 256 of them in C2SP's own form."""
    held: list[bytes] = []
    number = 0
    for position, entry in entries:
        yield position, entry
        held.append(entry)
        if len(held) == tiles.WIDTH:
            _pack_entries(under, number, held)
            held, number = [], number + 1
    if held:
        _pack_entries(under, number, held)


def _pack_entries(under: Path, number: int, held: list[bytes]) -> None:
    _bytes(under / tiles.path_of("entries", number, len(held)), entry_bundle(held))


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as C2SP tlog-tiles bundles them: each after its length in two bytes."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def tiles_for(numbers: Iterable[int], size: int) -> list[tuple[int, int, int]]:
    """(level, number, width) of the tiles that lead from lowest tiles to the root of `size` leaves.

    Those above the given ones, and on each level the last tile where it is not full: the root is made from these.
    """
    level, above, found = 0, set(numbers), []
    while size:
        last, width = divmod(size, tiles.WIDTH)
        chosen = above | ({last} if width else set())
        found += [(level, number, width if number == last else tiles.WIDTH) for number in sorted(chosen)]
        above = {number // tiles.WIDTH for number in above if number < last}
        level, size = level + 1, last
    return found


def _tiles(under: Path, tree: tiles.Tree, needed: Iterable[tuple[int, int, int]]) -> None:
    for level, number, width in needed:
        hashes = tree.read(level, number)[: width * _HASH]
        name = tiles.path_of(level, number, width)
        if len(hashes) != width * _HASH:
            raise ProofBroken(f"{name} is missing or too short")
        _bytes(under / name, hashes)


def _anchors(under: Path, anchors: Iterable[str], tree: tiles.Tree, *, whole: bool) -> int:
    count = 0
    for count, note in enumerate(anchors, start=1):
        size = Checkpoint.parse(note.partition("\n\n")[0] + "\n").size
        stem = f"{size}-{count}"
        _text(under / "anchors" / f"{stem}.note", note)
        if not whole and size <= tree.size:
            proof = tree.consistency(size)
            _text(under / "anchors" / f"{stem}.proof", "".join(f"{base64.b64encode(h).decode()}\n" for h in proof))
    return count


def _stamps(under: Path, stamps: Iterable[tuple[int, bytes]]) -> int:
    count = 0
    for size, token in stamps:
        _bytes(under / "stamps" / f"{size}.tsr", token)
        count += 1
    return count


def _lines(path: Path, rows: Iterable[Disclosed | Erased]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            file.write(json.dumps(asdict(row), ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n")
            count += 1
    return count


def _text(path: Path, text: str) -> None:
    _bytes(path, text.encode())


def _bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
