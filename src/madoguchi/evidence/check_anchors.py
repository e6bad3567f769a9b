"""Older checkpoints: signed with the log's key, of this log, and the log now continues each of them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from madoguchi.evidence import keys
from madoguchi.evidence.errors import EvidenceError, ProofBroken
from madoguchi.evidence.merkle import check_consistency
from madoguchi.evidence.note import Checkpoint, Verifier, open_note
from madoguchi.evidence.source import FileBroken, Source, read
from madoguchi.evidence.verdict import Verdict

_NOTE = re.compile(r"anchors/[\w.-]{1,100}\.note", re.ASCII)
_STAMP = re.compile(r"stamps/(\d{1,16})\.tsr", re.ASCII)
_LONGEST = 64 * 1024
_MOST = 10_000


class NotProven(Exception):
    """The proof that lies beside an older checkpoint does not lead from it to now."""


@dataclass(slots=True)
class Anchors:
    """The older checkpoints of a bundle and of paper. `now`: the bundle's own."""

    verdict: Verdict
    key: Verifier
    now: Checkpoint
    _held: list[tuple[str, Checkpoint]] = field(default_factory=list)
    _notes: dict[int, list[bytes]] = field(default_factory=dict)

    def read(self, source: Source, papers: Iterable[tuple[str, bytes | None]]) -> int:
        """Read all of them; returns how many the bundle has. `papers`: names and bytes of notes from outside."""
        names = sorted(name for name in source.names if _NOTE.fullmatch(name))[:_MOST]
        for name in names:
            try:
                self._read(name, read(source, name, _LONGEST))
            except FileBroken as error:
                self.verdict.found("file", name=name, why=error.why)
        for name, raw in papers:
            self._read(name, raw)
        return len(names)

    def _read(self, name: str, raw: bytes | None) -> None:
        try:
            note = (raw or b"").decode()
            found = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
        except (EvidenceError, ValueError):
            self.verdict.found("anchor_unreadable", name=name)
            return
        self._notes.setdefault(found.size, []).append(raw or b"")
        if self._ours(name, note, found):
            self._held.append((name, found))

    def _ours(self, name: str, note: str, found: Checkpoint) -> bool:
        if found.origin != self.now.origin:
            self.verdict.found("anchor_origin", name=name)
            return False
        try:
            open_note(note, [self.key])
        except EvidenceError:
            self.verdict.found("anchor_signature", name=name)
            return False
        if found.size > self.now.size:
            self.verdict.found("anchor_longer", name=name, old=found.size, size=self.now.size)
            return False
        return True

    @property
    def sizes(self) -> list[int]:
        """The sizes at which the root is needed."""
        return [old.size for _, old in self._held]

    def compare_whole(self, roots: Mapping[int, bytes], *, complete: bool) -> None:
        """Against the roots over the bundle's own entries. `complete`: those are the checkpoint's."""
        for name, old in self._held:
            if old.size not in roots:
                self.verdict.found("anchor_uncompared", name=name, old=old.size)
            else:
                self._say(name, old, holds=roots[old.size] == old.root, noted=complete)

    def compare_part(self, source: Source, root_at: Callable[[int], bytes]) -> None:
        """Against proofs in the bundle, or `root_at`, which raises `ProofBroken` where the tiles do not tell."""
        proven = {self.now.size: self.now.root}
        for name, old in self._held:
            try:
                if old.size not in proven:
                    proven[old.size] = self._proven(source, name, old, root_at)
            except FileBroken as error:
                self.verdict.found("file", name=error.name, why=error.why)
            except NotProven:
                self.verdict.found("anchor_unproven", name=name, old=old.size)
            except (ProofBroken, ValueError):
                self.verdict.found("anchor_uncompared", name=name, old=old.size)
            else:
                self._say(name, old, holds=proven[old.size] == old.root, noted=True)

    def _proven(self, source: Source, name: str, old: Checkpoint, root_at: Callable[[int], bytes]) -> bytes:
        """The root that the log had at the old size."""
        proof = name.removesuffix(".note") + ".proof"
        if proof not in source.names or not _NOTE.fullmatch(name):
            return root_at(old.size)
        hashes = [keys.from_base64(line) for line in read(source, proof, _LONGEST).decode().splitlines()]
        try:
            check_consistency(old.size, self.now.size, old.root, self.now.root, hashes)
        except ProofBroken as error:
            raise NotProven from error
        return old.root

    def _say(self, name: str, old: Checkpoint, *, holds: bool, noted: bool) -> None:
        if not holds:
            self.verdict.found("anchor_rewritten", name=name, old=old.size)
        elif noted:
            self.verdict.note("anchor_holds", name=name, old=old.size)

    def stamps(self, source: Source, note: bytes) -> int:
        """Whether each time stamp names a checkpoint that is here; returns how many there are."""
        self._notes.setdefault(self.now.size, []).append(note)
        names = sorted(name for name in source.names if _STAMP.fullmatch(name))[:_MOST]
        for name in names:
            try:
                token = read(source, name)
            except FileBroken as error:
                self.verdict.found("file", name=name, why=error.why)
                continue
            parts = _STAMP.fullmatch(name)
            notes = self._notes.get(int(parts[1]), []) if parts else []
            if not notes:
                self.verdict.note("stamp_alone", name=name)
            elif any(hashlib.new(by, one).digest() in token for one in notes for by in ("sha256", "sha384", "sha512")):
                self.verdict.note("stamp", name=name)
            else:
                self.verdict.found("stamp_foreign", name=name)
        return len(names)
