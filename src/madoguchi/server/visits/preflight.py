"""事前確認: the questions of reception and what their answers mean. Pure; what is asked follows the procedure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from madoguchi.protocol import InterruptReason
from madoguchi.server.counters.models import BringItem, ProcedureKind


class Answer(StrEnum):
    """An answer to a question of reception."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {"yes": "はい", "no": "いいえ", "unknown": "わからない"}[self.value]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `trouble`: the answers that mean the procedure will probably be interrupted."""

    name: str
    text: str
    english: str
    trouble: frozenset[Answer]
    reason: InterruptReason
    advice: str
    asked_when: str


_NOT_YES = frozenset({Answer.NO, Answer.UNKNOWN})

QUESTIONS = (
    Question(
        "certificate_renewed",
        "電子証明書を、この数日のあいだに更新しましたか",
        "Was the certificate renewed in the last days?",
        frozenset({Answer.YES, Answer.UNKNOWN}),
        InterruptReason.CERTIFICATE_RENEWED,
        "更新したばかりの電子証明書は、まだ使えないことがあります。日を改めると、二度手間になりません。",
        "needs_certificate",
    ),
    Question(
        "pin_known",
        "暗証番号がわかりますか(番号は聞きません)",
        "Is the PIN known? (do not ask for it)",
        _NOT_YES,
        InterruptReason.PIN_LOCKED,
        "暗証番号は、続けてまちがえるとロックされます。わからないときは、先に再設定の窓口を案内してください。",
        "needs_pin",
    ),
    Question(
        "own_name",
        "登録するものは、本人の名義ですか",
        "Is it in the person's own name?",
        _NOT_YES,
        InterruptReason.MISSING_INFORMATION,
        "本人の名義でないものは登録できません。本人の名義のものがあるか、確かめてもらってください。",
        "needs_own_name",
    ),
    Question(
        "guardian",
        "保護者が、子どもの代わりに手続しますか",
        "Does a guardian act for a child?",
        frozenset(),
        InterruptReason.OTHER,
        "",
        "guardian_possible",
    ),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """Why the procedure will probably be interrupted, and what to say."""

    reason: InterruptReason
    text: str


def questions(procedure: ProcedureKind) -> tuple[Question, ...]:
    """The questions that this procedure needs."""
    return tuple(question for question in QUESTIONS if getattr(procedure, question.asked_when))


def advice(*, procedure: ProcedureKind, answers: Mapping[str, str], missing: Iterable[BringItem]) -> tuple[Advice, ...]:
    """What to tell the citizen before a ticket is issued; empty when nothing stands in the way."""
    found = [
        Advice(question.reason, question.advice + _how_long(procedure, question))
        for question in questions(procedure)
        if answers.get(question.name) in question.trouble
    ]
    found += [
        Advice(InterruptReason.MISSING_INFORMATION, f"「{item.label}」がないと、最後までできません。")
        for item in missing
        if item.required
    ]
    return tuple(found)


def to_record(
    *, answers: Mapping[str, str], bring: Iterable[BringItem], brought: Iterable[BringItem], told: Iterable[Advice]
) -> dict[str, Any]:
    """What is kept with the ticket: answers and labels, nothing about the person."""
    have = {item.pk for item in brought}
    listed = list(bring)
    return {
        "answers": dict(answers),
        "brought": [item.label for item in listed if item.pk in have],
        "missing": [item.label for item in listed if item.pk not in have],
        "advised": [item.reason.value for item in told],
    }


def _how_long(procedure: ProcedureKind, question: Question) -> str:
    wait = procedure.wait_after_renewal
    return f"目安: {wait}。" if wait and question.reason is InterruptReason.CERTIFICATE_RENEWED else ""
