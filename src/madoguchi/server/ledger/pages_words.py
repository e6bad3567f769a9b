"""What an entry says, in sentences: a visit's steps as on the visit's page, the office's own acts here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from madoguchi.server.ledger.payloads import readable
from madoguchi.server.ledger.retention import CLASSES

_Body = Mapping[str, Any]

SCOPES = {"all": "全体", "period": "期間", "visit": "1件の対応", "incident": "事案の対応"}
"""What an export was of."""

_UNREADABLE = "(内容を言葉にできません。記録のページで、署名されたままの内容を見てください)"
_CLOCKS = "端末の時計とサーバーの時計の差: {skew}秒"


def words_of(kind: str, body: object) -> list[str]:
    """What an entry of this kind says beside its label. Contents that were erased are said to be so."""
    from madoguchi.server.visits.words import event_in_words

    said: _Body = body if isinstance(body, Mapping) else {}
    try:
        return [*event_in_words(kind, said, readable), *_OFFICE.get(kind, _nothing)(said)]
    except (TypeError, ValueError, AttributeError):
        # Whoever signs may put anything into a body; the page has to show the entry all the same.
        return [_UNREADABLE]


def class_label(kind: object) -> str:
    """The Japanese label of a retention class."""
    return CLASSES[str(kind)].label if str(kind) in CLASSES else str(kind)


def _nothing(_body: _Body) -> Iterator[str]:
    yield from ()


def _opened(body: _Body) -> Iterator[str]:
    yield class_label(body.get("kind"))


def _erased(body: _Body) -> Iterator[str]:
    given = body.get("commitments")
    number = len(given) if isinstance(given, list) else 0
    yield f"{class_label(body.get('kind'))} {number}件"


def _numbers(body: _Body) -> Iterator[str]:
    yield f"次の番号は{body.get('expected')}のはずが、{body.get('got')}が届きました。"


def _rejected(body: _Body) -> Iterator[str]:
    yield f"わけ: {body.get('reason')}"


def _clock(body: _Body) -> Iterator[str]:
    yield _CLOCKS.format(skew=body.get("skew"))


def _staff(body: _Body) -> Iterator[str]:
    yield f"ログイン名: {body.get('username')} 役割: {body.get('role')}"


def _counter(body: _Body) -> Iterator[str]:
    yield f"{body.get('what')} {body.get('key')}"


def _exported(body: _Body) -> Iterator[str]:
    scope = body.get("scope")
    kind = scope.get("kind") if isinstance(scope, Mapping) else scope
    yield f"{SCOPES.get(str(kind), kind)}: 記録{body.get('entries')}件、個人に関する内容{body.get('payloads')}件"


def _compared(body: _Body) -> Iterator[str]:
    yield f"{body.get('size')}件のチェックポイント: {'合っている' if body.get('holds') else '合わない'}"


_OFFICE: dict[str, Callable[[_Body], Iterator[str]]] = {
    "payload_opened": _opened,
    "payload_erased": _erased,
    "sequence_gap": _numbers,
    "sequence_back": _numbers,
    "message_rejected": _rejected,
    "clock_off": _clock,
    "clock_right": _clock,
    "staff_saved": _staff,
    "counter_saved": _counter,
    "evidence_exported": _exported,
    "checkpoint_compared": _compared,
}
