"""Challenges and answers survive the back channel unchanged; what was changed on the way does not."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.card import Attributes, Sex
from madoguchi.nation.challenges import Answer, CardUse, Challenge, summary_digest
from madoguchi.nation.errors import AnswerMalformed, ChallengeForged
from madoguchi.nation.wire import answer_from_json, answer_to_json, challenge_from_json, challenge_to_json
from nation.town import Town

ORIGIN = "http://127.0.0.1:9001"
CERTIFICATE = Town().cards["A"].auth_certificate

lines = st.lists(st.tuples(st.text(), st.text()), max_size=5).map(tuple)
acts = st.text(min_size=1)
faces = st.none() | st.builds(
    Attributes, name=st.text(), address=st.text(), birth=st.dates(date(1900, 1, 1)), sex=st.sampled_from(list(Sex))
)


@given(acts, lines, st.sampled_from(list(CardUse)))
def test_a_challenge_arrives_as_it_was_made(act: str, summary: tuple[tuple[str, str], ...], use: CardUse) -> None:
    challenge = Challenge("id", "nonce", ORIGIN, act, summary_digest(act, summary), use, summary)
    sent = json.loads(json.dumps(challenge_to_json(challenge)))
    assert challenge_from_json(sent, origin=ORIGIN) == challenge


@given(acts, lines, lines)
def test_other_lines_under_the_same_digest_are_forged(
    act: str, summary: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]
) -> None:
    challenge = Challenge("id", "nonce", ORIGIN, act, summary_digest(act, summary), CardUse.PROVE, summary)
    sent = challenge_to_json(challenge) | {"summary": [list(line) for line in other]}
    if other == summary:
        assert challenge_from_json(sent, origin=ORIGIN) == challenge
    else:
        with pytest.raises(ChallengeForged):
            challenge_from_json(sent, origin=ORIGIN)


@given(st.none() | st.binary(), faces)
def test_an_answer_arrives_as_it_was_given(signature: bytes | None, face: Attributes | None) -> None:
    answer = Answer(CERTIFICATE, signature, face)
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["certificate", "signature", "attributes", "x"]), json_values) | json_values)
def test_anything_else_is_refused_by_name(data: object) -> None:
    with pytest.raises(AnswerMalformed):
        answer_from_json(data)
    with pytest.raises(ChallengeForged):
        challenge_from_json(data, origin=ORIGIN)
