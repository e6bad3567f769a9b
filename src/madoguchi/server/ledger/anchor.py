"""Compares an old checkpoint, from paper or a file, with the log as it is now."""

from dataclasses import dataclass

from django.db import transaction

from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import check_consistency
from madoguchi.evidence.note import Checkpoint, open_note
from madoguchi.server.accounts.models import Staff
from madoguchi.server.ledger import integrator, log, statements
from madoguchi.server.ledger.signer import verifier


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome. `size`: entries of the old checkpoint; `now`: of the log."""

    size: int
    now: int
    holds: bool
    sentence: str


def compare(note: str, *, staff: Staff | None = None) -> Compared:
    """Whether the log continues what the old note says; stated in the log. `staff` None: the command line.

    Raises `CheckpointBroken` for what is no checkpoint signed by this log's key, `LogBroken`, `LogEmpty`.
    """
    text, _ = open_note(tidy(note), [verifier()])
    old = Checkpoint.parse(text)
    newest = integrator.settle()
    found = _compared(old, log.parsed(newest))
    with transaction.atomic():
        statements.state(kind="checkpoint_compared", body={"size": old.size, "holds": found.holds}, staff=staff)
    return found


def tidy(note: str) -> str:
    """The note as it was signed: a browser's or an editor's line ends and blank lines around it do not count."""
    return "\n".join(line.rstrip() for line in note.replace("\r\n", "\n").strip().split("\n")) + "\n"


def _compared(old: Checkpoint, new: Checkpoint) -> Compared:
    if old.origin != new.origin:
        return Compared(old.size, new.size, holds=False, sentence=_OTHER_LOG)
    if old.size > new.size:
        return Compared(old.size, new.size, holds=False, sentence=_SHORTER.format(old=old.size, new=new.size))
    try:
        proof = log.consistency(old.size, new.size)
        check_consistency(old.size, new.size, old.root, new.root, proof)
    except ProofBroken:
        return Compared(old.size, new.size, holds=False, sentence=_CHANGED.format(old=old.size))
    return Compared(old.size, new.size, holds=True, sentence=_HOLDS.format(old=old.size, new=new.size))


_HOLDS = "合っています。古いチェックポイントの{old}件は、いまの{new}件の記録にそのまま残っています。"
_CHANGED = (
    "合いません。古いチェックポイントのあとで、それより前の{old}件のどれかが変えられたか、記録全体が作り直されました。"
    "この紙かファイルを保管し、監査担当に知らせてください。"
)
_SHORTER = (
    "合いません。古いチェックポイントには{old}件の記録がありましたが、いまは{new}件しかありません。記録が失われています。"
    "バックアップから戻したあとなら、そのことを監査担当に知らせてください。"
)
_OTHER_LOG = "別の記録のチェックポイントです。この市の窓口のものか、確かめてください。"
