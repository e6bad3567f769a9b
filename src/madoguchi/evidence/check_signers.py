"""Who has signed what, and the numbers of devices. Takes facts in order of position."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from madoguchi.evidence import keys
from madoguchi.evidence.facts import Fact
from madoguchi.evidence.verdict import Verdict

ONLY_DEVICES = frozenset({"bind_card", "curtain", "uncurtain", "end", "wipe_proven", "wipe_failed", "sweep_proven"})
"""What a server cannot state by itself."""

ALSO_DEVICES = ONLY_DEVICES | {"confirm"}
"""What a device can state."""


@dataclass(slots=True)
class Signers:
    """`server`: the log key's public key, base64. `trusted` says whether a statement counts for the further checks."""

    verdict: Verdict
    server: str
    _enrolled: dict[str, set[str]] = field(default_factory=dict)
    _current: dict[str, str] = field(default_factory=dict)

    def trusted(self, fact: Fact) -> bool:
        """Check one statement; remember a device that it enrols."""
        code = fact.problem or self._wrong(fact)
        if code:
            self.verdict.found(code, fact.position, fact.visit, kind=fact.kind, fingerprint=_fingerprint(fact.key))
            return False
        if fact.terminal is not None:
            self._remember(fact, fact.terminal)
        return True

    def _remember(self, fact: Fact, terminal: str) -> None:
        if fact.kind == "enrolled":
            self._enrolled.setdefault(terminal, set()).add(fact.detail)
            self._current[terminal] = fact.detail
        elif fact.kind == "revoked":
            self._current[terminal] = ""
        elif fact.device and fact.key != self._current[terminal]:
            # A message may have been on its way just then: no finding, but worth a look.
            fields = {"terminal": terminal, "fingerprint": _fingerprint(fact.key)}
            self.verdict.note("device_replaced", fact.position, fact.visit, **fields)

    def _wrong(self, fact: Fact) -> str:
        if not fact.device:
            if fact.key != self.server:
                return "foreign_server"
            return "server_for_device" if fact.kind in ONLY_DEVICES else ""
        if fact.key == self.server:
            return "server_for_device"
        if fact.key not in self._enrolled.get(fact.terminal or "", ()):
            return "foreign_device"
        return "" if fact.kind in ALSO_DEVICES else "device_for_server"


def _fingerprint(key: str) -> str:
    try:
        return keys.fingerprint(key)
    except ValueError:
        return "?"


class _Jump(NamedTuple):
    """Numbers of a device that are not in order: `expected` was due, `got` came."""

    terminal: str
    position: int
    expected: int
    got: int


@dataclass(slots=True)
class DeviceNumbers:
    """`whole`: the first number of every device is 1; in a part of the log any number can be the first."""

    verdict: Verdict
    whole: bool
    _highest: dict[str, int] = field(default_factory=dict)
    _gaps: list[_Jump] = field(default_factory=list)
    _backs: list[tuple[_Jump, bool]] = field(default_factory=list)
    _told: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _told_back: set[tuple[str, int, int]] = field(default_factory=set)

    def take(self, fact: Fact) -> None:
        """One trusted statement."""
        if not fact.device:
            self._explanation(fact)
        elif fact.seq is not None:
            self._number(fact, fact.seq)

    def _explanation(self, fact: Fact) -> None:
        if fact.terminal is None or fact.detail is None:
            return
        if fact.kind == "message_rejected":
            self._told[fact.terminal].append((fact.detail, fact.detail))
        elif fact.kind == "sequence_gap":
            self._told[fact.terminal].append((fact.detail[0], fact.detail[1] - 1))
        elif fact.kind == "sequence_back":
            self._told_back.add((fact.terminal, *fact.detail))

    def _number(self, fact: Fact, seq: int) -> None:
        first = 0 if self.whole else seq - 1
        highest = self._highest.get(fact.key, first)
        jump = _Jump(fact.terminal or "", fact.position, highest + 1, seq)
        if seq > highest + 1:
            self._gaps.append(jump)
        elif seq <= highest:
            self._backs.append((jump, seq == highest))
        self._highest[fact.key] = max(seq, highest)

    def finish(self) -> None:
        """After the last statement: what the server has explained, and what nobody has."""
        for jump in self._gaps:
            for first, last, told in _covered(jump.expected, jump.got - 1, self._told[jump.terminal]):
                fields: dict[str, Any] = {"terminal": jump.terminal, "first": first, "last": last}
                if told:
                    self.verdict.note("gap_explained", jump.position, **fields)
                else:
                    self.verdict.found("device_gap", jump.position, **fields)
        for jump, repeated in self._backs:
            self._back(jump, repeated=repeated)

    def _back(self, jump: _Jump, *, repeated: bool) -> None:
        fields: dict[str, Any] = {"terminal": jump.terminal, "number": jump.got, "last": jump.expected - 1}
        if (jump.terminal, jump.expected, jump.got) in self._told_back:
            self.verdict.note("back_explained", jump.position, **fields)
        else:
            self.verdict.found("device_repeat" if repeated else "device_back", jump.position, **fields)


def _covered(first: int, last: int, told: Iterable[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """`first` to `last` cut into stretches (first, last, whether one of `told` covers it)."""
    found: list[tuple[int, int, bool]] = []
    at = first
    for begin, end in sorted(told):
        if end < at or begin > last or begin > end:
            continue
        if begin > at:
            found.append((at, begin - 1, False))
        found.append((max(at, begin), min(end, last), True))
        at = min(end, last) + 1
    if at <= last:
        found.append((at, last, False))
    return found
