import pytest

from madoguchi import card
from madoguchi.card import CardError, CardTrouble, PinWrong, ReaderLost, wire

_EXAMPLES = [
    kind(0x6F00) if kind is CardTrouble else kind(2) if kind is PinWrong else kind() for kind in wire.ERRORS.values()
]


def test_every_error_has_its_own_sentence_that_says_what_to_do() -> None:
    sentences = [error.sentence for error in _EXAMPLES]
    assert len(set(sentences)) == len(sentences) > 20
    for sentence in sentences:
        assert sentence.count("。") >= 2 or "ロックされます。" in sentence


def test_every_error_is_a_public_name() -> None:
    assert {name for name in wire.ERRORS if name not in card.__all__} == set()
    assert all(hasattr(card, name) for name in card.__all__)


@pytest.mark.parametrize("error", _EXAMPLES, ids=lambda error: str(error.code))
def test_errors_travel_whole(error: CardError) -> None:
    there = wire.error_from_json(wire.error_to_json(error))
    assert (type(there), there.args, there.sentence) == (type(error), error.args, error.sentence)


def test_texts_do_not_travel() -> None:
    assert wire.error_to_json(ReaderLost("架空 花子"))["args"] == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"error": "NoSuchError", "args": []},
        {"error": "PinWrong", "args": []},
        {"error": "PinWrong", "args": ["x"]},
        {"error": "CardTrouble", "args": "6F00"},
        {"error": "KeyError", "args": []},
        {"error": 7, "args": []},
    ],
)
def test_an_error_that_cannot_be_understood_is_a_lost_reader(answer: dict[str, object]) -> None:
    assert type(wire.error_from_json(answer)) is ReaderLost
