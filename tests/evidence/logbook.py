"""A small log as an office would have it, with real keys: two terminals, visits with whole chains, contents, a gap.

Everybody in it is made up (架空). `Logbook.office()` is the realistic one; the parts can be used to make others.
"""

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from madoguchi.evidence import bundle, envelope, leaf, note, sealed, tiles
from madoguchi.evidence.keys import public_text
from madoguchi.evidence.merkle import leaf_hash

ORIGIN = "madoguchi.example/counter"
BEGIN = datetime(2022, 8, 17, 1, 0, tzinfo=UTC)
LABELS = {"call": "呼び出し", "bind_card": "カード確認", "end": "終了・消去開始", "close": "終了"}


def key_of(name: str) -> Ed25519PrivateKey:
    """A key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def uuid_of(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def salt_of(name: str) -> str:
    return base64.b64encode(name.encode().ljust(32, b"#")[:32]).decode()


@dataclass(slots=True)
class Terminal:
    """A machine at the counter, and the number that its next message bears."""

    name: str
    key: Ed25519PrivateKey
    seq: int = 0
    id: str = ""

    def __post_init__(self) -> None:
        self.id = uuid_of(self.name)


@dataclass(slots=True)
class Logbook:
    """Entries in order of position, and what is needed to make a bundle of them."""

    server: Ed25519PrivateKey = field(default_factory=lambda: key_of("server"))
    origin: str = ORIGIN
    entries: list[bytes] = field(default_factory=list)
    payloads: list[bundle.Disclosed] = field(default_factory=list)
    erasures: list[bundle.Erased] = field(default_factory=list)
    seqs: dict[str, int] = field(default_factory=dict)
    about: list[str | None] = field(default_factory=list)

    # what is stated

    def state(
        self,
        kind: str,
        *,
        visit: str | None = None,
        terminal: Terminal | None = None,
        body: Mapping[str, Any] | None = None,
        by: str = "server",
        signer: Ed25519PrivateKey | None = None,
        seq: int | None = None,
    ) -> int:
        """The server states something; returns the position."""
        order = seq if seq is not None or visit is None else self._next(visit)
        statement = {
            "at": self._now(),
            "body": dict(body or {}),
            "by": by,
            "kind": kind,
            "lease": 1 if visit else None,
            "seq": order,
            "staff": None if by in ("server", "terminal") else "sato",
            "terminal": terminal.id if terminal else None,
            "visit": visit,
        }
        return self._append(signer or self.server, statement, {"at": self._now()}, visit)

    def report(
        self,
        kind: str,
        *,
        terminal: Terminal,
        visit: str | None = None,
        body: Mapping[str, Any] | None = None,
        signer: Ed25519PrivateKey | None = None,
        seq: int | None = None,
        skew: float = 0.25,
        taken: bool = True,
    ) -> int:
        """A device reports something; `taken`: it counts among the visit's statements."""
        terminal.seq = terminal.seq + 1 if seq is None else seq
        statement = {
            "id": uuid_of(f"{terminal.name} {len(self.entries)}"),
            "terminal": terminal.id,
            "seq": terminal.seq,
            "kind": kind,
            "at": self._now(),
            "visit": visit,
            "lease": 1 if visit else None,
            "training": False,
            "body": dict(body or {}),
        }
        order = self._next(visit) if visit and taken else None
        received = {"at": self._now(), "order": order, "skew": skew}
        return self._append(signer or terminal.key, statement, received, visit)

    def enrol(self, terminal: Terminal) -> int:
        return self.state("enrolled", terminal=terminal, body={"public_key": public_text(terminal.key)})

    def commit(self, visit: str | None, kind: str, payload: Mapping[str, Any], *, erased: bool = False) -> str:
        """Keep a content beside the log; returns its commitment."""
        salt = salt_of(f"{kind} {visit} {len(self.payloads) + len(self.erasures)}")
        commitment = sealed.commit(salt, payload)
        if erased:
            self.erasures.append(bundle.Erased(visit, commitment, kind, "2027-04-01T00:00:00+09:00", "retention"))
        else:
            text = envelope.canonical(payload).decode()
            self.payloads.append(bundle.Disclosed(visit, commitment, kind, salt, text))
        return commitment

    def visit(self, name: str, terminal: Terminal, *, cause: str = "finish", erased: bool = False) -> str:
        """A whole visit, confirmed with a signature."""
        visit = uuid_of(name)
        self.state("issue", visit=visit, by="supporter", body={"preflight": {}, "procedure": "account"})
        self.state("call", visit=visit, terminal=terminal, by="supporter", body={"terminal": terminal.id, "lease": 1})
        self.report("bind_card", visit=visit, terminal=terminal, body={"card_tag": "ab" * 32})
        self.report("end", visit=visit, terminal=terminal, body={"cause": cause})
        self.report("wipe_proven", visit=visit, terminal=terminal, body={"proof": {"space": "unmounted"}})
        strokes = {"height": 200, "strokes": [[[1, 2, len(self.entries)], [3, 4, 9]]], "width": 600}
        commitment = self.commit(visit, "signature", strokes, erased=erased)
        confirmation = {"kind": "signature", "commitment": commitment, "own_name": "own"}
        self.report(
            "confirm", visit=visit, terminal=terminal, body={"confirmation": confirmation, "outcome": "completed"}
        )
        self.state("close", visit=visit, terminal=terminal)
        if erased:
            self.state("payload_erased", body={"commitments": [commitment], "kind": "signature", "reason": "retention"})
        return visit

    def withdrawn(self, name: str, terminal: Terminal) -> str:
        """Somebody who left before a card was read; why is words that staff typed."""
        visit = uuid_of(name)
        self.state("issue", visit=visit, by="supporter", body={"preflight": {}, "procedure": "account"})
        self.state("call", visit=visit, terminal=terminal, by="supporter", body={"terminal": terminal.id, "lease": 1})
        token = "sealed:" + self.commit(visit, "reason", {"text": "電話で呼ばれた(架空)"})
        self.state("withdraw", visit=visit, terminal=terminal, by="supporter", body={"reason": token})
        return visit

    def attested(self, name: str, terminal: Terminal) -> str:
        """A machine that went silent: an officer took it away, two staff heard the citizen."""
        visit = uuid_of(name)
        self.state("issue", visit=visit, by="supporter", body={"preflight": {}, "procedure": "account"})
        self.state("call", visit=visit, terminal=terminal, by="supporter", body={"terminal": terminal.id, "lease": 1})
        self.report("bind_card", visit=visit, terminal=terminal, body={"card_tag": "cd" * 32})
        token = "sealed:" + self.commit(visit, "reason", {"text": "電源を切り、外した(架空)"})
        body = {"proof": {"attested": token, "by": "sato"}, "reason": token}
        self.state("attest_wipe", visit=visit, terminal=terminal, by="city_officer", body=body)
        confirmation = {"kind": "spoken", "staff_1": "sato", "staff_2": "kudo"}
        body = {"confirmation": confirmation, "outcome": "interrupted", "reason": "other"}
        self.state("confirm", visit=visit, terminal=terminal, by="supporter", body=body)
        self.state("close", visit=visit, terminal=terminal)
        return visit

    @classmethod
    def office(cls, *, days: int = 1, server: Ed25519PrivateKey | None = None) -> "Logbook":
        """About 60 entries a day: the same ones every time, whoever signs for the server."""
        book = cls(server=server or key_of("server"))
        one, two = Terminal("窓口1", key_of("one")), Terminal("窓口2", key_of("two"))
        book.enrol(one)
        book.enrol(two)
        for day in range(days):
            book.report("sweep_proven", terminal=one, body={"proof": {"space": "none"}})
            book.visit(f"市民A {day}", one)
            book.visit(f"市民B {day}", two, cause="card_gone", erased=True)
            book.withdrawn(f"市民C {day}", one)
            two.seq += 2
            book.state("sequence_gap", terminal=two, body={"expected": two.seq - 1, "got": two.seq + 1})
            book.visit(f"市民D {day}", two)
            one.seq += 1
            raw = "sealed:" + book.commit(None, "message", {"text": "{}"})
            body = {"reason": "StaleLease", "message_id": uuid_of("old"), "seq": one.seq, "raw": raw}
            book.state("message_rejected", terminal=one, body=body)
            book.visit(f"市民E {day}", one)
            book.report("curtain", terminal=one, visit=uuid_of(f"市民E {day}"), taken=False, skew=400.0)
        book.attested("市民F", two)
        return book

    @classmethod
    def morning(cls) -> "Logbook":
        """A few entries: what the documents show."""
        book, one = cls(), Terminal("窓口1", key_of("one"))
        book.enrol(one)
        book.report("sweep_proven", terminal=one, body={"proof": {"space": "none"}})
        book.visit("市民A", one)
        book.visit("市民B", one, cause="card_gone", erased=True)
        return book

    # what is made of it

    @property
    def vkey(self) -> str:
        return note.Verifier(self.origin, public_text(self.server)).text()

    def tiles(self, size: int | None = None) -> dict[tuple[int, int], bytes]:
        hashes = [leaf_hash(entry) for entry in self.entries[:size]]
        return tiles.grow(lambda *_: b"", 0, hashes)

    def checkpoint(self, size: int | None = None, *, key: Ed25519PrivateKey | None = None) -> str:
        size = len(self.entries) if size is None else size
        root = tiles.Tree(tiles.from_mapping(self.tiles()), len(self.entries)).root(size)
        text = note.Checkpoint(self.origin, size, root).text()
        return note.sign(text, self.origin, key or self.server)

    def write(
        self,
        folder: Path,
        *,
        scope: Mapping[str, Any] | None = None,
        positions: Iterable[int] | None = None,
        anchors: Iterable[str] = (),
        stamps: Iterable[tuple[int, bytes]] = (),
        checkpoint: str | None = None,
    ) -> Path:
        """The bundle of the whole log, or of the entries at `positions`."""
        chosen = range(len(self.entries)) if positions is None else sorted(positions)
        said = b"".join(self.entries[position] for position in chosen)
        bundle.write(
            folder,
            scope=scope or {"kind": "all"},
            log_key=self.vkey,
            labels=LABELS,
            made_at="2022-08-18T09:00:00+09:00",
            checkpoint_note=checkpoint or self.checkpoint(),
            entries=[(position, self.entries[position]) for position in chosen],
            read_tile=tiles.from_mapping(self.tiles()),
            payloads=[one for one in self.payloads if one.commitment.encode() in said],
            erasures=[one for one in self.erasures if one.commitment.encode() in said],
            anchors=anchors,
            stamps=stamps,
        )
        return folder

    def positions_of(self, *visits: str) -> list[int]:
        """The entries of visits, and the enrolments that they rest on."""
        enrolled = [at for at, entry in enumerate(self.entries) if b'"kind":"enrolled"' in entry]
        return sorted({*enrolled, *(at for at, visit in enumerate(self.about) if visit in visits)})

    def change(self, position: int, alter: Callable[[dict[str, Any]], None], *, resign: Any = None) -> None:
        """Alter an entry's JSON; with `resign` sign its statement with that key again."""
        given = json.loads(self.entries[position])
        alter(given)
        if resign is not None:
            given |= {"key": public_text(resign), "signature": envelope.sign(given["statement"], resign)}
        self.entries[position] = leaf.make(**given)

    def statements(self) -> Iterator[dict[str, Any]]:
        return (json.loads(entry)["statement"] for entry in self.entries)

    def at(self, kind: str, visit: str | None = None) -> int:
        """The position of the first statement of a kind (of a visit)."""
        return next(
            at for at, said in enumerate(self.statements()) if said["kind"] == kind and visit in (None, said["visit"])
        )

    def _append(
        self, key: Ed25519PrivateKey, statement: dict[str, Any], received: dict[str, Any], visit: str | None
    ) -> int:
        signature = envelope.sign(statement, key)
        self.entries.append(
            leaf.make(key=public_text(key), signature=signature, statement=statement, received=received)
        )
        self.about.append(visit)
        return len(self.entries) - 1

    def _next(self, visit: str) -> int:
        self.seqs[visit] = self.seqs.get(visit, 0) + 1
        return self.seqs[visit]

    def _now(self) -> str:
        return (BEGIN + timedelta(seconds=7 * len(self.entries))).isoformat(timespec="microseconds")
