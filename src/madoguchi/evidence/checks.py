"""Checks a bundle: opens its head, streams its entries once through every check. Says nothing: fills a verdict."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from madoguchi.evidence import keys
from madoguchi.evidence.bundle import FORMAT, HEAD, PARTS, WHOLE
from madoguchi.evidence.check_anchors import Anchors
from madoguchi.evidence.check_contents import Contents
from madoguchi.evidence.check_log import WholeLog
from madoguchi.evidence.check_part import PartOfLog
from madoguchi.evidence.check_signers import DeviceNumbers, Signers
from madoguchi.evidence.check_visits import Visits
from madoguchi.evidence.errors import BundleUnreadable, EvidenceError
from madoguchi.evidence.facts import Fact, facts
from madoguchi.evidence.note import Checkpoint, Verifier, open_note
from madoguchi.evidence.source import FileBroken, Source, blocks, read
from madoguchi.evidence.verdict import Verdict

SKEW = 300
"""Seconds that a terminal's clock may be off without a word."""

_MOST_JOBS = 60  # Windows waits for no more
_KNOWN = re.compile(
    r"bundle\.json|checkpoint|(events|payloads|erasures)\.jsonl|tile/.*|anchors/[\w.-]+\.(note|proof)|stamps/\d+\.tsr",
    re.ASCII,
)
_STATEMENTS = ("signers", "numbers", "visits", "contents")


@dataclass(frozen=True, slots=True)
class Head:
    """What a bundle says of itself. `key`: the one that is checked with; `note`, `checkpoint`: what it has signed."""

    scope: Mapping[str, Any]
    counts: Mapping[str, Any]
    key: Verifier
    note: bytes
    checkpoint: Checkpoint

    @property
    def whole(self) -> bool:
        """Whether the bundle is the whole log."""
        return bool(self.scope["kind"] == WHOLE)

    @property
    def visits(self) -> tuple[str, ...]:
        """The visits that the bundle is about."""
        named = self.scope.get("visits", [])
        return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person who checks has given. `papers`: names and bytes (None: unreadable) of older checkpoints."""

    key: Verifier | None = None
    papers: tuple[tuple[str, bytes | None], ...] = ()
    log_only: bool = False
    jobs: int = 1


def open_head(source: Source, verdict: Verdict, key: Verifier | None) -> Head:
    """Read `bundle.json` and `checkpoint`; check the signature. Raises `BundleUnreadable`."""
    try:
        given = json.loads(read(source, "bundle.json"))
        note = read(source, "checkpoint")
        text = note.decode()
        checkpoint = Checkpoint.parse(text.rpartition("\n\n")[0] + "\n")
        own = Verifier.parse(_text(given, "log_key"))
        scope, counts = given["scope"], given["counts"]
    except FileBroken as error:
        raise BundleUnreadable(f"{error.name}: {error.why}") from error
    except (ValueError, KeyError, TypeError, RecursionError, EvidenceError) as error:
        raise BundleUnreadable("bundle.json or checkpoint is not what it should be") from error
    if given.keys() != HEAD or given["format"] != FORMAT or not isinstance(scope, dict) or not isinstance(counts, dict):
        raise BundleUnreadable(f"bundle.json is not of the form {FORMAT}")
    if scope.get("kind") not in (WHOLE, *PARTS):
        raise BundleUnreadable("bundle.json has a scope that nobody knows")
    head = Head(scope, counts, key or own, note, checkpoint)
    _check_head(verdict, head, own, key, given.get("origin"), text)
    return head


def _text(given: Mapping[str, Any], name: str) -> str:
    if not isinstance(given[name], str):
        raise TypeError(name)
    return str(given[name])


def _check_head(verdict: Verdict, head: Head, own: Verifier, key: Verifier | None, origin: object, text: str) -> None:
    if key is None:
        verdict.note("compare_key", fingerprint=keys.fingerprint(own.public), key=own.text())
    elif key != own:
        verdict.found("other_key")
    if not head.checkpoint.origin == origin == head.key.name:
        verdict.found("checkpoint_origin", found=head.checkpoint.origin, said=head.key.name)
    try:
        open_note(text, [head.key])
    except EvidenceError:
        verdict.found("checkpoint_signature")
    verdict.done.add("checkpoint")


def check(source: Source, verdict: Verdict, asked: Asked) -> Head:
    """All checks. Raises `BundleUnreadable`."""
    head = open_head(source, verdict, asked.key)
    _strange(source, verdict)
    anchors = Anchors(verdict, head.key, head.checkpoint)
    counts = {"anchors": anchors.read(source, asked.papers)}
    contents = Contents(verdict)
    if asked.log_only:
        verdict.note("log_only")
        verdict.skipped.update(_STATEMENTS)
    else:
        counts |= contents.read(source)
    if head.whole:
        counts["entries"] = _whole(source, verdict, head, asked, anchors, contents)
    else:
        verdict.part = True
        verdict.note("part")
        counts["entries"] = _part(source, verdict, head, asked, anchors, contents)
    if not anchors.sizes and not verdict.of("anchors"):
        verdict.note("no_anchor")
        verdict.skipped.add("anchors")
    counts["stamps"] = anchors.stamps(source, head.note)
    if not counts["stamps"]:
        verdict.skipped.add("stamps")
    for name, found in counts.items():
        if head.counts.get(name) != found:
            verdict.found("counts", name=name, found=found, said=head.counts.get(name))
    verdict.done.update(("files", "log", "stamps"))
    return head


def _strange(source: Source, verdict: Verdict) -> None:
    for name in source.strange:
        verdict.found("strange_file", name=name)
    for name in source.names:
        if not _KNOWN.fullmatch(name):
            verdict.note("unknown_file", name=name)


def _whole(source: Source, verdict: Verdict, head: Head, asked: Asked, anchors: Anchors, contents: Contents) -> int:
    size = head.checkpoint.size
    log = WholeLog(source, verdict, size, [*anchors.sizes, size])
    count = _stream(_Lines(source, verdict, log), verdict, head, asked, contents)
    complete = log.finish()
    fits = complete and log.roots[size] == head.checkpoint.root
    if complete and not fits:
        verdict.found("root")
    if complete:
        for name in log.foreign():
            verdict.found("tile_foreign", name=name)
    anchors.compare_whole(log.roots, complete=fits)
    if fits:
        verdict.done.add("anchors")
    return count


def _part(source: Source, verdict: Verdict, head: Head, asked: Asked, anchors: Anchors, contents: Contents) -> int:
    log = PartOfLog(source, verdict, head.checkpoint.size)
    count = _stream(_Lines(source, verdict, log), verdict, head, asked, contents)
    log.finish(head.checkpoint.root)
    anchors.compare_part(source, log.tree.root)
    verdict.done.add("anchors")
    return count


class _Lines:
    """The lines of `events.jsonl`, by blocks; each goes through the log's check on its way."""

    def __init__(self, source: Source, verdict: Verdict, log: WholeLog | PartOfLog) -> None:
        self._source, self._verdict, self._log = source, verdict, log
        self.count = 0

    def __iter__(self) -> Iterator[list[bytes]]:
        try:
            for lines in blocks(self._source, "events.jsonl"):
                self._log.take(lines)
                self.count += len(lines)
                yield lines
        except FileBroken as error:
            self._verdict.found("file", name=error.name, why=error.why)


def _stream(lines: _Lines, verdict: Verdict, head: Head, asked: Asked, contents: Contents) -> int:
    if asked.log_only:
        for _ in lines:
            pass
        return lines.count
    signers, numbers = Signers(verdict, head.key.public), DeviceNumbers(verdict, head.whole)
    visits = Visits(verdict, head.whole, head.visits)
    period = head.whole or head.scope["kind"] == "period"
    if not period:
        verdict.note("devices_unnumbered")
    for fact in _facts(lines, asked.jobs):
        if not signers.trusted(fact):
            continue
        if period:
            numbers.take(fact)
        visits.take(fact)
        contents.take(fact)
        if fact.skew is not None and not abs(fact.skew) <= SKEW:
            verdict.note("skew", fact.position, fact.visit, skew=fact.skew)
    for check_ in (numbers, visits, contents):
        check_.finish()
    verdict.done.update(_STATEMENTS)
    return lines.count


def _facts(lines: Iterable[list[bytes]], jobs: int) -> Iterator[Fact]:
    """The facts in order. With `jobs` > 1, and more than one block, the signatures are checked in as many processes."""
    passing = iter(lines)
    first = list(islice(passing, 2))
    passing = chain(first, passing)
    if jobs <= 1 or len(first) < 2:
        for block in passing:
            yield from facts(block)
        return
    waiting: deque[Future[list[Fact]]] = deque()
    with ProcessPoolExecutor(min(jobs, _MOST_JOBS)) as pool:
        for block in passing:
            waiting.append(pool.submit(facts, block))
            if len(waiting) > 2 * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
