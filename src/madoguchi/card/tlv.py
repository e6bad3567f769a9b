"""BER-TLV (ISO/IEC 7816-4, annex E) as far as the card-face text application uses it."""

from collections.abc import Iterator, Mapping

_MORE_TAG = 0x1F
_LONG = 0x80


def encode(tag: int, value: bytes) -> bytes:
    """One object; the length in its shortest form, values up to 65,535 bytes."""
    tag_bytes = tag.to_bytes(2 if tag > 0xFF else 1, "big")
    return tag_bytes + _length(len(value)) + value


def encode_all(objects: Mapping[int, bytes]) -> bytes:
    """Several objects in order."""
    return b"".join(encode(tag, value) for tag, value in objects.items())


def decode(data: bytes) -> dict[int, bytes]:
    """Objects of one level, by tag. Raises `ValueError` when they do not fill `data` exactly or a tag repeats."""
    found: dict[int, bytes] = {}
    for tag, value in _objects(data):
        if tag in found:
            raise ValueError(f"tag {tag:X} twice")
        found[tag] = value
    return found


def total_length(head: bytes) -> int:
    """Length of the whole first object, header included, from its first bytes (six are enough)."""
    try:
        _, start, length = _header(head, 0)
    except IndexError as error:
        raise ValueError("header cut off") from error
    return start + length


def _length(count: int) -> bytes:
    if count < _LONG:
        return bytes([count])
    size = 1 if count <= 0xFF else 2
    return bytes([_LONG | size]) + count.to_bytes(size, "big")


def _objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        try:
            tag, start, length = _header(data, position)
        except IndexError as error:
            raise ValueError("header cut off") from error
        if start + length > len(data):
            raise ValueError(f"tag {tag:X} cut off")
        yield tag, data[start : start + length]
        position = start + length


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    tag = data[position]
    position += 1
    if tag & _MORE_TAG == _MORE_TAG:
        tag = tag << 8 | data[position]
        position += 1
    length = data[position]
    position += 1
    if length & _LONG:
        size = length & ~_LONG
        if not 1 <= size <= 2:  # 65,535 bytes are more than any file here
            raise ValueError("length of an unknown form")
        length_bytes = data[position : position + size]
        if len(length_bytes) < size:
            raise ValueError("header cut off")
        return tag, position + size, int.from_bytes(length_bytes, "big")
    return tag, position, length
