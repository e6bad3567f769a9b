"""Words for the record on screens. Labels of events stand in `ledger.types`."""

from collections.abc import Callable, Mapping
from typing import Any

from madoguchi.protocol import Confirmation, EndCause, EventKind, InterruptReason, Outcome, OwnName

Read = Callable[[object], str]

_LOGOUTS = {
    "visited": "国のサイトのログアウトのページを開きました。",
    "unreachable": "国のサイトのログアウトのページを開けませんでした(端末の消去は済んでいます)。",
    "not_tried": "国のサイトのログアウトのページは開いていません。",
}

_SPACES = {
    "unmounted": "ファイルの置き場を取り外しました。使っているものはありませんでした。",
    "namespace": "ファイルの置き場は、閲覧ソフトの箱といっしょに消えました。",
    "none": "ファイルの置き場はありませんでした。",
}


def proof_in_words(proof: object, read: Read = str) -> list[str]:
    """The wipe proof as sentences; unknown parts are left out, the record keeps them. `read`: see `event_in_words`."""
    if not isinstance(proof, Mapping):
        return []
    lines = ["訓練用の端末です。本物の消去の証明ではありません。"] if proof.get("training") else []
    if proof.get("attested"):
        lines.append(f"市職員が端末の撤去を確認しました: {read(proof['attested'])}")
    lines += _known(_LOGOUTS, proof.get("logout"))
    if proof.get("processes_gone_at"):
        lines.append("閲覧ソフトの処理がすべて止まったことを確かめました。")
    if proof.get("namespaces_empty_at"):
        lines.append("箱の中に何も残っていないことを確かめました。")
    lines += _known(_SPACES, proof.get("space"))
    if proof.get("leftovers"):
        lines.append(f"前の対応の残りを{proof['leftovers']}個消しました。")
    return lines


def _known(sentences: Mapping[str, str], value: object) -> list[str]:
    """The sentence for a value that a terminal has signed: it may be anything."""
    return [sentences[value]] if isinstance(value, str) and value in sentences else []


def event_in_words(kind: str, body: Mapping[str, Any], read: Read = str) -> list[str]:
    """What an event says beside its label, for the record on a visit's page.

    `read`: the words for what stands in a personal field (`ledger.payloads.readable`).
    """
    lines: list[str] = []
    if kind in (EventKind.WIPE_PROVEN, EventKind.SWEEP_PROVEN, EventKind.ATTEST_WIPE):
        lines += proof_in_words(body.get("proof"), read)
    if kind == EventKind.END and body.get("cause") in list(EndCause):
        lines.append(EndCause(body["cause"]).label)
    if kind == EventKind.CONFIRM:
        lines += _confirmation(body, read)
    if kind == EventKind.WIPE_FAILED:
        lines.append(f"理由: {body.get('failure')}")
    if kind in _WITH_REASON and body.get("reason"):
        lines.append(f"理由: {read(body['reason'])}")
    return lines


_WITH_REASON = frozenset(
    {
        EventKind.WITHDRAW.value,
        EventKind.RETURN_TO_QUEUE.value,
        EventKind.ASK_END.value,
        EventKind.CLEAR.value,
        EventKind.ATTEST_WIPE.value,
        "revoked",
        "in_service",
        "out_of_service",
    }
)


def _confirmation(body: Mapping[str, Any], read: Read) -> list[str]:
    given = body.get("confirmation")
    kind = given.get("kind") if isinstance(given, Mapping) else None
    lines = [Confirmation(kind).label] if kind in list(Confirmation) else []
    if kind == Confirmation.ABSENT and isinstance(given, Mapping) and given.get("reason"):
        lines.append(f"わけ: {read(given['reason'])}")
    lines += [Outcome(body["outcome"]).label] if body.get("outcome") in list(Outcome) else []
    own_name = given.get("own_name") if isinstance(given, Mapping) else None
    lines += [OwnName(own_name).label] if own_name in list(OwnName) else []
    return lines + ([InterruptReason(body["reason"]).label] if body.get("reason") in list(InterruptReason) else [])
