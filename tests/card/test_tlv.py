import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.card import tlv

_TAGS = st.sampled_from([0x0C, 0x30, 0xDF22, 0xDF23, 0xFF20])


@pytest.mark.parametrize(
    ("count", "header"), [(0, "DF2200"), (127, "DF227F"), (128, "DF228180"), (255, "DF2281FF"), (256, "DF22820100")]
)
def test_lengths_take_their_shortest_form(count: int, header: str) -> None:
    assert tlv.encode(0xDF22, bytes(count)) == bytes.fromhex(header) + bytes(count)


@given(st.dictionaries(_TAGS, st.binary(max_size=400)))
def test_what_is_encoded_is_decoded(objects: dict[int, bytes]) -> None:
    assert tlv.decode(tlv.encode_all(objects)) == objects


@given(_TAGS, st.binary(max_size=400), st.binary(max_size=8))
def test_the_total_length_is_known_from_the_first_bytes(tag: int, value: bytes, more: bytes) -> None:
    whole = tlv.encode(tag, value)
    assert tlv.total_length((whole + more + bytes(6))[:6]) == len(whole)


@pytest.mark.parametrize("data", ["DF", "DF22", "DF2205 0102", "DF2283 000001 00", "DF2280", "DF228201", "0C00 0C00"])
def test_other_bytes_are_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"cut off|unknown form|twice"):
        tlv.decode(bytes.fromhex(data))


@given(st.binary(max_size=40))
def test_decoding_ends_in_objects_or_a_value_error(data: bytes) -> None:
    try:
        objects = tlv.decode(data)
    except ValueError:
        return
    assert sum(len(value) for value in objects.values()) <= len(data)
