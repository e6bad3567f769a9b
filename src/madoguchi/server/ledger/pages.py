"""What the evidence pages show of entries: read, put into words, and checked anew each time. Nothing here writes."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from madoguchi.evidence import keys, note
from madoguchi.evidence.errors import BadSignature, LeafBroken, ProofBroken
from madoguchi.evidence.leaf import Leaf
from madoguchi.evidence.leaf import read as read_leaf
from madoguchi.evidence.merkle import check_inclusion, leaf_hash
from madoguchi.evidence.tiles import Tree
from madoguchi.protocol import Role
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, Terminal
from madoguchi.server.errors import NotYours
from madoguchi.server.ledger import log
from madoguchi.server.ledger.errors import LogEmpty
from madoguchi.server.ledger.findings import Fault
from madoguchi.server.ledger.models import Checkpoint, Entry, Position
from madoguchi.server.ledger.pages_words import words_of
from madoguchi.server.ledger.signer import signer
from madoguchi.server.ledger.types import LABELS
from madoguchi.server.visits.models import Visit

CLOCKS_DIFFER = 5.0
"""Seconds between a terminal's clock and the server's from which a page says so."""

_YEARS = range(1900, 3000)

Placed = tuple[int | None, Entry]
"""An entry and its place; None while it waits for one."""


def visible(staff: Staff) -> QuerySet[Entry]:
    """The entries that exist for this person.

    For somebody of one site: what was stated of its terminals, or of its visits without a terminal. What the office
    states of no site at all is for people of all sites.
    """
    if staff.site_id is None:
        return Entry.objects.all()
    terminals = Terminal.objects.filter(site_id=staff.site_id).values("pk")
    visits = Visit.objects.filter(site_id=staff.site_id).values("pk")
    return Entry.objects.filter(Q(terminal__in=terminals) | Q(terminal__isnull=True, visit__in=visits))


def entry_at(staff: Staff, position: int) -> Entry:
    """The entry at a place. Raises `NotYours`."""
    key = Position.objects.filter(position=position).values_list("entry", flat=True).first()
    found = visible(staff).filter(pk=key).first() if key is not None else None
    if found is None:
        raise NotYours(f"entry {position}")
    return found


def placed(entries: Iterable[Entry]) -> list[Placed]:
    """Each entry with its place, in the order given. One query."""
    rows = list(entries)
    pairs = Position.objects.filter(entry__in=[row.pk for row in rows]).values_list("entry", "position")
    places = dict(pairs)
    return [(places.get(row.pk), row) for row in rows]


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof as it was computed now. `fault` None: it leads to the root of the checkpoint."""

    leaf: bytes
    hashes: tuple[bytes, ...] = ()
    fault: Fault | None = None

    @property
    def holds(self) -> bool:
        """Whether the entry stands in the log as it is."""
        return self.fault is None

    @property
    def lines(self) -> list[str]:
        """The hashes as base64."""
        return [base64.b64encode(one).decode() for one in self.hashes]


@dataclass(frozen=True, slots=True)
class Step:
    """One entry on a page. `at`: by the clock of whoever stated it, `received`: by the server's.

    `faults`: what does not hold. `proof` None: it has no place yet, or there is no checkpoint to prove anything with.
    `of_visit`: it moved the visit on, other statements only name it.
    """

    entry: Entry
    position: int | None
    leaf: Leaf | None
    at: datetime | None
    received: datetime
    who: str
    owner: str
    words: tuple[str, ...]
    faults: tuple[Fault, ...]
    proof: Proof | None
    terminal: Terminal | None = None

    @property
    def kind(self) -> str:
        """The type's code, by the signed statement where it can be read."""
        return str(self.statement.get("kind", self.entry.kind))

    @property
    def label(self) -> str:
        """The type's Japanese label."""
        return LABELS.get(self.kind, self.kind)

    @property
    def statement(self) -> Mapping[str, Any]:
        """What was signed."""
        return self.leaf.statement if self.leaf else {}

    @property
    def body(self) -> Mapping[str, Any]:
        """The statement's body."""
        body = self.statement.get("body")
        return body if isinstance(body, Mapping) else {}

    @property
    def order(self) -> int | None:
        """Its number within the visit; None: it only names the visit."""
        order = self.leaf.received.get("order") if self.leaf else None
        return order if isinstance(order, int) else None

    @property
    def off(self) -> float | None:
        """Seconds by which the clock of the terminal went ahead of the server's, where that matters."""
        if self.at is None:
            return None
        found = (self.at - self.received).total_seconds()
        return found if abs(found) > CLOCKS_DIFFER else None

    @property
    def training(self) -> bool:
        """Whether a terminal without a real box or reader stated it."""
        return bool(self.statement.get("training"))

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


@dataclass(slots=True)
class Newest:
    """The newest checkpoint. `said` None: there is none, or (`broken`) it is not signed by this office."""

    checkpoint: Checkpoint | None = None
    said: note.Checkpoint | None = None
    broken: bool = False


def newest() -> Newest:
    """The newest checkpoint with its signature checked."""
    try:
        found = log.newest()
    except LogEmpty:
        return Newest()
    return Newest(found, said := log.opened(found), broken=said is None)


@dataclass(slots=True)
class _Known:
    """Who is named on a page, read once."""

    devices: dict[tuple[str, str], Device] = field(default_factory=dict)
    terminals: dict[str, Terminal] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


class Checker:
    """Turns entries into `Step`s, each checked anew: its signature, its columns, and its place in the log."""

    def __init__(self) -> None:
        self.newest = newest()
        self._server = signer().public
        self._tree = Tree(cache(log.read_tile), self.newest.said.size) if self.newest.said else None

    def steps(self, rows: Sequence[Placed]) -> list[Step]:
        """In the order given. Three queries, and the tiles that the proofs need."""
        read = [(position, entry, _read(entry)) for position, entry in rows]
        known = _known([leaf for _, _, leaf in read if leaf])
        return [self._step(position, entry, leaf, known) for position, entry, leaf in read]

    def _step(self, position: int | None, entry: Entry, leaf: Leaf | None, known: _Known) -> Step:
        proof = self._proof(position, entry)
        faults = list(self._faults(entry, leaf, known))
        if proof is not None and proof.fault is not None:
            faults.insert(0, proof.fault)
        said = leaf.statement if leaf else {}
        return Step(
            entry,
            position,
            leaf,
            _moment(said.get("at")),
            _moment(leaf.received.get("at") if leaf else None) or entry.at,
            _who(said, known),
            self._owner(leaf, known),
            tuple(words_of(str(said.get("kind")), said.get("body"))) if leaf else (),
            tuple(faults),
            proof,
            known.terminals.get(str(said.get("terminal"))),
        )

    def _faults(self, entry: Entry, leaf: Leaf | None, known: _Known) -> Iterable[Fault]:
        if leaf is None:
            yield Fault.ENTRY_UNREADABLE
            return
        if not _signed(leaf):
            yield Fault.SIGNATURE_WRONG
        if not self._owner(leaf, known):
            yield Fault.SIGNER_UNKNOWN
        if (leaf.statement.get("kind"), _uuid(leaf.statement.get("visit"))) != (entry.kind, entry.visit):
            yield Fault.COLUMN_DIFFERS

    def _owner(self, leaf: Leaf | None, known: _Known) -> str:
        """Whose key it is, "" for nobody's here. What a terminal states, its own key signs; all else the server's."""
        if leaf is None:
            return ""
        if "by" in leaf.statement:
            return "サーバー" if leaf.key == self._server else ""
        device = known.devices.get((leaf.key, str(leaf.statement.get("terminal"))))
        if device is None:
            return ""
        ended = f"(登録の取り消し {device.revoked_at:%Y-%m-%d})" if device.revoked_at else ""
        return f"{device.terminal}{ended}"

    def _proof(self, position: int | None, entry: Entry) -> Proof | None:
        said = self.newest.said
        if position is None or said is None or self._tree is None or position >= said.size:
            return None
        leaf = leaf_hash(bytes(entry.leaf))
        try:
            hashes = tuple(self._tree.inclusion(position))
            known = self._tree.leaf(position)
        except ProofBroken:
            return Proof(leaf, fault=Fault.TILE_GONE)
        try:
            check_inclusion(position, said.size, leaf, hashes, said.root)
        except ProofBroken:
            # An entry that is as it was is not to blame for what happened to its neighbours.
            return Proof(leaf, hashes, Fault.ENTRY_CHANGED if leaf != known else Fault.ROOT_DIFFERS)
        return Proof(leaf, hashes)


def _read(entry: Entry) -> Leaf | None:
    """None also for what no page can show: a changed entry must not break the page that is to say so."""
    try:
        found = read_leaf(bytes(entry.leaf))
        json.dumps([found.key, found.signature, found.statement, found.received], ensure_ascii=False).encode()
    except (LeafBroken, UnicodeEncodeError, RecursionError):
        return None
    return found


def _known(leaves: Sequence[Leaf]) -> _Known:
    said = [leaf.statement for leaf in leaves]
    devices = Device.objects.filter(public_key__in={leaf.key for leaf in leaves}).select_related("terminal__site")
    numbers = {number for one in said if (number := _uuid(one.get("terminal")))}
    terminals = Terminal.objects.filter(pk__in=numbers).select_related("site")
    people = Staff.objects.filter(username__in={str(one["staff"]) for one in said if _named(one.get("staff"))})
    return _Known(
        {(device.public_key, str(device.terminal_id)): device for device in devices},
        {str(terminal.pk): terminal for terminal in terminals},
        dict(people.values_list("username", "display_name")),
    )


def _named(text: object) -> bool:
    return isinstance(text, str) and bool(text) and text.isprintable()


def _who(said: Mapping[str, Any], known: _Known) -> str:
    """Role and name: of staff the login name too, it is what was signed."""
    if said.get("staff"):
        login = str(said["staff"])
        return f"{_role(said.get('by'))} {known.names.get(login, '')}({login})"
    if "by" in said:
        return _role(said["by"])
    terminal = known.terminals.get(str(said.get("terminal")))
    return str(terminal) if terminal else Role.TERMINAL.label


def _role(by: object) -> str:
    return Role(str(by)).label if by in list(Role) else str(by)


def _signed(leaf: Leaf) -> bool:
    try:
        keys.check(keys.public_from_text(leaf.key), leaf.signature, leaf.said)
    except BadSignature:
        return False
    return True


def _moment(text: object) -> datetime | None:
    try:
        found = parse_datetime(str(text))
    except ValueError:
        return None
    # A changed entry may name a year that has no local time.
    return found if found and found.tzinfo and found.year in _YEARS else None


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
