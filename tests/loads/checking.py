"""Checking bundles of many entries: time and memory of the verifier, size and time of proofs."""

import base64
import json
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from madoguchi.evidence import bundle, leaf, note, tiles
from madoguchi.evidence.envelope import canonical
from madoguchi.evidence.keys import public_text
from madoguchi.evidence.merkle import check_inclusion, leaf_hash

_ORIGIN = "madoguchi-bench"
_BEGAN = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
_BATCH = 20_000
_PROOFS = 300
_WATCH = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""Runs and watches another program from a small process: Linux counts a starter's own memory as its child's peak."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One run of the verifier: seconds of the clock, seconds of processors, peak megabytes of its largest process."""

    seconds: float
    processor: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Proofs:
    """Bytes of an inclusion proof, and microseconds to make and to check one (medians)."""

    size: int
    make: float
    check: float


class Log:
    """A bundle over a log of one terminal that swept again and again. `signed`: every signature is real."""

    def __init__(self, folder: Path, size: int, *, signed: bool) -> None:
        self.folder, self.size, self.signed = folder, size, signed
        self.server, self.device = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.terminal = str(uuid.uuid4())
        self.tiles: dict[tuple[int, int], bytes] = {}

    def make(self) -> "Log":
        """Write it."""
        self._grow()
        root = tiles.Tree(self._read, self.size).root()
        text = note.Checkpoint(_ORIGIN, self.size, root, (_BEGAN.isoformat(),)).text()
        key = note.Verifier(_ORIGIN, public_text(self.server)).text()
        bundle.write(
            self.folder,
            scope={"kind": bundle.WHOLE},
            log_key=key,
            labels={"sweep_proven": "残りのないことの証明", "enrolled": "端末の登録"},
            made_at=_BEGAN.isoformat(),
            checkpoint_note=note.sign(text, _ORIGIN, self.server),
            entries=enumerate(self._entries()),
            read_tile=self._read,
        )
        return self

    def proofs(self) -> Proofs:
        """Inclusion proofs of chosen entries, read from the bundle's tiles."""
        tree = tiles.Tree(self._from_files, self.size)
        root, made, checked, size = tree.root(), [], [], 0
        for index in random.Random(1).choices(range(self.size), k=_PROOFS):  # noqa: S311 - which entry, no secret
            began = time.perf_counter()
            proof = tree.inclusion(index)
            made.append(time.perf_counter() - began)
            hashed = tree.leaf(index)
            began = time.perf_counter()
            check_inclusion(index, self.size, hashed, proof, root)
            checked.append(time.perf_counter() - began)
            size = max(size, 32 * len(proof))
        return Proofs(size, statistics.median(made) * 1e6, statistics.median(checked) * 1e6)

    def _read(self, level: int, number: int) -> bytes:
        return self.tiles.get((level, number), b"")

    def _from_files(self, level: int, number: int) -> bytes:
        width = min(tiles.WIDTH, self.size // tiles.WIDTH**level - number * tiles.WIDTH)
        return (self.folder / tiles.path_of(level, number, width)).read_bytes()

    def _grow(self) -> None:
        begin, hashes = 0, []
        for entry in self._entries():
            hashes.append(leaf_hash(entry))
            if len(hashes) == _BATCH:
                self.tiles.update(tiles.grow(self._read, begin, hashes))
                begin, hashes = begin + len(hashes), []
        self.tiles.update(tiles.grow(self._read, begin, hashes))

    def _entries(self) -> Iterator[bytes]:
        yield self._enrolled()
        pattern = self._pattern()
        for seq in range(1, self.size):
            yield self._swept(seq) if self.signed else pattern % (str(uuid.UUID(int=seq)).encode(), seq)

    def _enrolled(self) -> bytes:
        said = {
            "at": _BEGAN.isoformat(),
            "body": {"code_by": "officer", "public_key": public_text(self.device)},
            "by": "server",
            "kind": "enrolled",
            "lease": None,
            "seq": None,
            "staff": None,
            "terminal": self.terminal,
            "visit": None,
        }
        return self._made(said, self.server)

    def _swept(self, seq: int) -> bytes:
        return self._made(self._message(str(uuid.UUID(int=seq)), seq), self.device)

    def _message(self, name: str, seq: int) -> dict[str, object]:
        return {
            "at": (_BEGAN + timedelta(seconds=seq)).isoformat(),
            "body": {"proof": {"leftovers": 0, "space": "unmounted"}},
            "id": name,
            "kind": "sweep_proven",
            "lease": None,
            "seq": seq,
            "terminal": self.terminal,
            "training": False,
            "visit": None,
        }

    def _made(self, said: Mapping[str, object], key: Ed25519PrivateKey) -> bytes:
        signature = base64.b64encode(key.sign(canonical(said))).decode()
        received = {"at": said["at"], "order": None, "skew": 0.0}
        return leaf.make(key=public_text(key), signature=signature, statement=said, received=received)

    def _pattern(self) -> bytes:
        """The bytes of an entry with places for id and number: no signature is made where none is checked."""
        found = self._made(self._message("NAME", 424242), self.device)
        return found.replace(b"%", b"%%").replace(b"NAME", b"%s").replace(b"424242", b"%d")

    def check(self, *options: str) -> Checked:
        """Run the verifier as an auditor would. Raises `AssertionError` unless it says that all holds."""
        command = [sys.executable, "-m", "madoguchi.evidence.verify", str(self.folder), *options]
        found = subprocess.run([sys.executable, "-c", _WATCH, *command], stdout=subprocess.PIPE, check=True)
        code, seconds, processor, kilobytes = json.loads(found.stdout)
        assert code == 0, f"{command} said {code}"
        return Checked(seconds, processor, kilobytes / 1024)
