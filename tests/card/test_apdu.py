import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.card.apdu import EXTENDED_LE, SHORT_LE, Command


@pytest.mark.parametrize(
    ("apdu", "data", "le"),
    [
        ("00200080", "", None),
        ("00B0000010", "", 16),
        ("00B0000000", "", SHORT_LE),
        ("00A4020C020017", "0017", None),
        ("802A0080 02 3031 00", "3031", SHORT_LE),
        ("802A0080 02 3031 80", "3031", 128),
        ("00B00000 000400", "", 1024),
        ("00B00000 000000", "", EXTENDED_LE),
        ("802A0080 000002 3031", "3031", None),
        ("802A0080 000002 3031 0100", "3031", 256),
        ("802A0080 000002 3031 0000", "3031", EXTENDED_LE),
    ],
)
def test_every_iso_form_is_understood(apdu: str, data: str, le: int | None) -> None:
    command = Command.parse(bytes.fromhex(apdu))
    assert (command.data, command.le) == (bytes.fromhex(data), le)
    assert (command.cla, command.ins, command.p1, command.p2) == tuple(bytes.fromhex(apdu)[:4])


@pytest.mark.parametrize(
    "apdu",
    [
        "",
        "00",
        "002000",
        "0020008003 3132",
        "0020008002 31323334",
        "00200080 0000",
        "00200080 000000 31",
        "00200080 0000023132 00",
    ],
)
def test_other_lengths_are_refused(apdu: str) -> None:
    with pytest.raises(ValueError, match=r"header|length"):
        Command.parse(bytes.fromhex(apdu))


@given(
    head=st.tuples(*[st.integers(0, 255)] * 4),
    data=st.binary(max_size=600),
    le=st.none() | st.integers(1, EXTENDED_LE),
)
def test_what_is_encoded_is_parsed(head: tuple[int, int, int, int], data: bytes, le: int | None) -> None:
    command = Command(*head, data, le)
    assert Command.parse(command.encode()) == command


@given(st.binary(max_size=300))
def test_parsing_ends_in_a_command_or_a_value_error(apdu: bytes) -> None:
    try:
        command = Command.parse(apdu)
    except ValueError:
        return
    assert bytes([command.cla, command.ins, command.p1, command.p2]) == apdu[:4]
    assert command.data in apdu
