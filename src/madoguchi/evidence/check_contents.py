"""Disclosed and erased contents: each fits its commitment, and the commitment stands in a statement of its visit."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from madoguchi.evidence import keys
from madoguchi.evidence.facts import Fact
from madoguchi.evidence.source import FileBroken, Source, blocks
from madoguchi.evidence.verdict import Verdict

_SALT = 32
_PAYLOAD = frozenset({"visit", "commitment", "kind", "salt", "payload"})
_ERASURE = frozenset({"visit", "commitment", "kind", "erased_at", "reason"})


@dataclass(slots=True)
class _Listed:
    """A commitment that the bundle speaks of. `elsewhere`: position and visit of a statement of another visit.

    `erased`: what the list says of the erasure; `stated`: a statement of the server says that it was erased.
    """

    visit: str | None
    erased: dict[str, str] | None = None
    stated: bool = False
    found: bool = False
    elsewhere: tuple[int, str | None] | None = None


@dataclass(slots=True)
class Contents:
    """Reads the two lists first, then takes the facts. Holds the commitments that are listed, not the contents."""

    verdict: Verdict
    _listed: dict[str, _Listed] = field(default_factory=dict)
    _undisclosed: int = 0

    def read(self, source: Source) -> dict[str, int]:
        """Check every content against its salt; returns how many of each list there are."""
        counts = {"payloads": 0, "erasures": 0}
        for row, given in self._rows(source, "payloads.jsonl", _PAYLOAD):
            counts["payloads"] = row
            if given is not None:
                self._payload(row, given)
        for row, given in self._rows(source, "erasures.jsonl", _ERASURE):
            counts["erasures"] = row
            if given is not None:
                self._list(given, {name: given[name] for name in ("kind", "erased_at", "reason")})
        return counts

    def _rows(self, source: Source, name: str, names: frozenset[str]) -> Iterator[tuple[int, dict[str, Any] | None]]:
        row = 0
        try:
            for lines in blocks(source, name):
                for row, line in enumerate(lines, start=row + 1):  # noqa: B020 - goes on counting
                    given = _object(line, names)
                    if given is None:
                        self.verdict.found("line", name=name, row=row)
                    yield row, given
        except FileBroken as error:
            self.verdict.found("file", name=name, why=error.why)

    def _payload(self, row: int, given: dict[str, Any]) -> None:
        if not _fits(given["commitment"], given["salt"], given["payload"]):
            self.verdict.found("content_changed", None, given["visit"], row=row)
        self._list(given)

    def _list(self, given: dict[str, Any], erased: dict[str, str] | None = None) -> None:
        if given["commitment"] in self._listed:
            self.verdict.found("content_twice", None, given["visit"], commitment=given["commitment"])
        self._listed[given["commitment"]] = _Listed(given["visit"], erased)

    def take(self, fact: Fact) -> None:
        """One trusted statement."""
        for commitment in fact.detail if fact.kind == "payload_erased" and not fact.device else ():
            if commitment in self._listed:
                self._listed[commitment].stated = True
        for commitment in fact.sealed:
            listed = self._listed.get(commitment)
            if listed is None:
                self._undisclosed += 1
            elif listed.visit == fact.visit:
                listed.found = True
            else:
                listed.elsewhere = (fact.position, fact.visit)

    def finish(self) -> None:
        """After the last statement."""
        for commitment, listed in self._listed.items():
            if listed.elsewhere is not None:
                position = listed.elsewhere[0]
                self.verdict.found("content_elsewhere", position, listed.visit, commitment=commitment)
            elif not listed.found:
                self.verdict.found("content_nowhere", None, listed.visit, commitment=commitment)
            if listed.erased is not None:
                code = "erased" if listed.stated else "erased_unstated"
                self.verdict.note(code, None, listed.visit, **listed.erased)
        if self._undisclosed:
            self.verdict.note("undisclosed", count=self._undisclosed)


def _object(line: bytes, names: frozenset[str]) -> dict[str, Any] | None:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or given.keys() != names:
        return None
    texts = all(isinstance(given[name], str) for name in names - {"visit"})
    return given if texts and isinstance(given["visit"], str | None) else None


def _fits(commitment: str, salt: str, payload: str) -> bool:
    """HMAC-SHA-256 of the payload's text under a salt of 32 bytes (`sealed.commit`)."""
    try:
        key, said = keys.from_base64(salt), payload.encode()
        due = keys.from_base64(commitment)
    except ValueError:
        return False
    return len(key) == _SALT and hmac.compare_digest(hmac.digest(key, said, hashlib.sha256), due)
