"""Every message arrives once, in order, whatever dies on the way."""

import json
import multiprocessing
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from werkzeug.serving import make_server

from madoguchi.protocol import EventKind, Terminal, TerminalState, Verdict
from madoguchi.terminal.errors import ServerRefused, ServerUnreachable
from madoguchi.terminal.journal import Draft, Journal, Outbound, Record
from madoguchi.terminal.link import Answer, HttpLink
from madoguchi.terminal.outbox import Outbox, Stamper
from terminal.doubles import SimClock, make_credentials

RECORD = Record(Terminal(TerminalState.OPEN, visit="v1", lease=1))
CREDENTIALS = make_credentials()
stamp = Stamper(CREDENTIALS, SimClock(), training=False)


class Post:
    """A link that keeps what it was given; `refuse` maps a seq to the refusal that the request with it gets."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.refuse: dict[int, ServerRefused] = {}
        self.reject: set[int] = set()
        self.down_after: int | None = None

    def send(self, outbounds: list[Outbound]) -> list[Answer]:
        seqs = [outbound.seq for outbound in outbounds]
        if self.down_after is not None and len(self.batches) >= self.down_after:
            raise ServerUnreachable("down")
        for seq in seqs:
            if seq in self.refuse:
                raise self.refuse[seq]
        self.batches.append(seqs)
        return [self._answer(outbound) for outbound in outbounds]

    def _answer(self, outbound: Outbound) -> Answer:
        bad = outbound.seq in self.reject
        return Answer(outbound.message.id, Verdict.REJECTED if bad else Verdict.ACCEPTED, "Because" if bad else "", "")


@pytest.fixture
def journal(memory: Path) -> Iterator[Journal]:
    made = Journal(memory / "journal.sqlite", terminal="t1", seal_key=b"s" * 32)
    yield made
    made.close()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def outbox(journal: Journal, post: Post) -> Outbox:
    return Outbox(journal=journal, link=post)  # type: ignore[arg-type]  # only `send` is used


def fill(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.commit(RECORD, [Draft(EventKind.END, "v1", 1, {"cause": "finish"})], stamp)


def test_in_order_and_in_batches(journal: Journal, post: Post, outbox: Outbox) -> None:
    fill(journal, 45)
    assert outbox.flush() == 45
    assert [len(batch) for batch in post.batches] == [20, 20, 5]
    assert [seq for batch in post.batches for seq in batch] == list(range(1, 46))
    assert journal.pending_count() == 0


def test_what_got_no_verdict_stays(journal: Journal, post: Post, outbox: Outbox) -> None:
    fill(journal, 45)
    post.down_after = 1
    with pytest.raises(ServerUnreachable):
        outbox.flush()
    assert journal.pending_count() == 25


def test_a_rejected_message_is_kept_with_its_reason_and_holds_up_nobody(
    journal: Journal, post: Post, outbox: Outbox
) -> None:
    fill(journal, 3)
    post.reject = {2}
    outbox.flush()
    assert journal.pending_count() == 0
    assert [(code, detail) for _, code, detail in journal.incidents()] == [("Rejected:Because", "end")]


def test_a_message_the_server_cannot_read_is_parked_and_the_others_go(
    journal: Journal, post: Post, outbox: Outbox
) -> None:
    fill(journal, 3)
    post.refuse = {2: ServerRefused(400, "MalformedRequest", "")}
    outbox.flush()
    assert post.batches == [[1], [3]]
    assert (journal.pending_count(), journal.parked_count()) == (0, 1)


def test_a_refusal_of_the_terminal_itself_parks_nothing(journal: Journal, post: Post, outbox: Outbox) -> None:
    fill(journal, 3)
    post.refuse = {1: ServerRefused(403, "Forbidden", "")}
    with pytest.raises(ServerRefused):
        outbox.flush()
    assert (journal.pending_count(), journal.parked_count()) == (3, 0)


def test_a_question_goes_alone_after_everything_before_it(journal: Journal, post: Post, outbox: Outbox) -> None:
    fill(journal, 2)
    waiting = Record(Terminal(TerminalState.WAITING_CARD, visit="v1", lease=1))
    journal.commit(waiting, [Draft(EventKind.BIND_CARD, "v1", 1, {"card_tag": "a" * 64}, alone=True)], stamp)
    assert outbox.flush() == 2
    assert post.batches == [[1, 2]]
    question = journal.waiting_alone()
    assert question is not None
    assert outbox.deliver_alone(question).verdict is Verdict.ACCEPTED
    assert post.batches == [[1, 2], [3]]


class Inbox:
    """A server that keeps each id once and sometimes forgets to answer."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test's dice
        self.seen: dict[str, int] = {}
        self.duplicates = 0

    def __call__(self, environ: dict[str, object], start_response: object) -> list[bytes]:
        body = environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))  # type: ignore[attr-defined]
        verdicts = [self._take(row["message"]) for row in json.loads(body)["messages"]]
        status = "504 Gateway Timeout" if self.random.random() < 0.2 else "200 OK"
        start_response(status, [("Content-Type", "application/json")])  # type: ignore[operator]
        return [json.dumps({"verdicts": verdicts}).encode()]

    def _take(self, message: dict[str, object]) -> dict[str, object]:
        ident, verdict = str(message["id"]), "duplicate"
        if ident not in self.seen:
            self.seen[ident], verdict = int(str(message["seq"])), "accepted"
        else:
            self.duplicates += 1
        return {"id": ident, "verdict": verdict, "reason": None, "sentence": None}


def _write_and_send_until_killed(path: Path, url: str, started: "multiprocessing.synchronize.Event") -> None:
    journal = Journal(path, terminal="t1", seal_key=b"s" * 32)
    client = httpx.Client(timeout=5, trust_env=False)
    outbox = Outbox(journal=journal, link=HttpLink(base_url=url, credentials=CREDENTIALS, client=client))
    while True:
        fill(journal, 1)
        started.set()
        try:
            outbox.flush()
        except ServerUnreachable:
            continue


@pytest.mark.slow
def test_eighty_kills_lose_nothing_and_double_nothing(memory: Path) -> None:
    inbox = Inbox(seed=80)
    server = make_server("127.0.0.1", 0, inbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.port}"
    path = memory / "journal.sqlite"
    dice = random.Random(2022)  # noqa: S311 - a test's dice
    context = multiprocessing.get_context("fork")
    for _ in range(80):
        started = context.Event()
        child = context.Process(target=_write_and_send_until_killed, args=(path, url, started))
        child.start()
        assert started.wait(20)
        child.join(dice.random() * 0.1)
        child.kill()
        child.join()
    journal = Journal(path, terminal="t1", seal_key=b"s" * 32)
    client = httpx.Client(timeout=5, trust_env=False)
    outbox = Outbox(journal=journal, link=HttpLink(base_url=url, credentials=CREDENTIALS, client=client))
    while journal.pending_count():
        try:
            outbox.flush()
        except ServerUnreachable:
            continue
    made = journal.last_seq
    client.close()
    journal.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert made >= 80
    assert sorted(inbox.seen.values()) == list(range(1, made + 1))
    assert inbox.duplicates > 0, "nothing was ever sent twice: the test did not test"
