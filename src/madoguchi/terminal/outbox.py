"""Messages on their way: numbered and signed when made, kept until the server has given a verdict, sent in order."""

import threading
import uuid
from dataclasses import dataclass

from madoguchi.evidence.envelope import sign
from madoguchi.protocol import Message, Verdict
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import ServerRefused
from madoguchi.terminal.journal import Draft, Journal, Outbound
from madoguchi.terminal.link import Answer, Link
from madoguchi.terminal.timers import Clock

_BATCH = 20
_ABOUT_THE_CONTENT = frozenset({400, 409, 413, 422})


@dataclass(frozen=True, slots=True)
class Stamper:
    """Turns a draft into a signed message: a `journal.Stamp`."""

    credentials: Credentials
    clock: Clock
    training: bool

    def __call__(self, seq: int, draft: Draft) -> Outbound:
        """Make the message with this number, dated now."""
        message = Message(
            id=str(uuid.uuid4()),
            terminal=self.credentials.terminal,
            seq=seq,
            kind=draft.kind,
            at=self.clock.now().isoformat(),
            visit=draft.visit,
            lease=draft.lease,
            training=self.training,
            body=draft.body,
        )
        return Outbound(message, sign(message.to_json(), self.credentials.key), draft.payload, draft.alone)


class Outbox:
    """Sends what the journal holds. One sender at a time, whichever thread it is in."""

    def __init__(self, *, journal: Journal, link: Link) -> None:
        self._journal = journal
        self._link = link
        self._sending = threading.Lock()

    def flush(self) -> int:
        """Send everything that waits, oldest first, up to a message that is to be sent alone; return how many went.

        Raises what `Link.send` raises; what has no verdict then stays.
        """
        with self._sending:
            return self._flush()

    def deliver_alone(self, outbound: Outbound) -> Answer:
        """Send everything before it, then this one by itself, and return its verdict. Raises as `flush`."""
        with self._sending:
            self._flush()
            answer = self._link.send([outbound])[0]
            self._settle(outbound, answer)
            return answer

    def _flush(self) -> int:
        count = 0
        while batch := self._next_batch():
            try:
                answers = self._link.send(batch)
            except ServerRefused as refusal:
                if refusal.status not in _ABOUT_THE_CONTENT:
                    raise
                count += self._one_by_one(batch)
                continue
            for outbound, answer in zip(batch, answers, strict=True):
                self._settle(outbound, answer)
            count += len(batch)
        return count

    def _next_batch(self) -> list[Outbound]:
        batch: list[Outbound] = []
        for outbound in self._journal.pending(_BATCH):
            if outbound.alone:
                break
            batch.append(outbound)
        return batch

    def _one_by_one(self, batch: list[Outbound]) -> int:
        # a refused request is no verdict: find the message it is about and keep it, with its payload
        for outbound in batch:
            try:
                self._settle(outbound, self._link.send([outbound])[0])
            except ServerRefused as refusal:
                self._journal.park(outbound, reason=refusal.reason)
        return len(batch)

    def _settle(self, outbound: Outbound, answer: Answer) -> None:
        reason = (answer.reason or "unknown") if answer.verdict is Verdict.REJECTED else None
        self._journal.settle(outbound, reason=reason)
