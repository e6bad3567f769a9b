"""Everything that windows of a display have written on them, read by plain requests of X's own protocol."""

import struct
from collections.abc import Iterator

from terminal.box.xserver import XServer

_ATTRIBUTES, _GEOMETRY, _QUERY_TREE, _ATOM_NAME, _GET_PROPERTY, _LIST_PROPERTIES = 3, 14, 15, 17, 20, 21
_ERROR, _REPLY, _HEAD = 0, 1, 32
_ALL = 1 << 22


def properties(screen: XServer) -> Iterator[tuple[int, str, bytes]]:
    """Window, name and value of every property of every window."""
    for window in _windows(screen, screen._root):
        listed = _ask(screen, _LIST_PROPERTIES, window)
        for atom in _numbers(listed, 8, 2):
            value = _ask(screen, _GET_PROPERTY, window, atom, 0, 0, _ALL)
            yield window, _name(screen, atom), value[_HEAD:]


def _windows(screen: XServer, root: int) -> Iterator[int]:
    yield root
    for child in _numbers(_ask(screen, _QUERY_TREE, root), 16, 2):
        yield from _windows(screen, child)


def _name(screen: XServer, atom: int) -> str:
    answer = _ask(screen, _ATOM_NAME, atom)
    length = struct.unpack_from("<H", answer, 8)[0] if answer else 0
    return answer[_HEAD : _HEAD + length].decode(errors="replace")


def _numbers(answer: bytes, place: int, width: int) -> tuple[int, ...]:
    count = int.from_bytes(answer[place : place + width], "little")
    return struct.unpack_from(f"<{count}I", answer, _HEAD) if answer else ()


def _ask(screen: XServer, opcode: int, *values: int) -> bytes:
    """Send a request of 32-bit values; the answer, empty when the display refuses (a window that is gone)."""
    screen._hand.sendall(struct.pack(f"<BxH{len(values)}I", opcode, 1 + len(values), *values))
    while True:
        head = screen._exactly(_HEAD)
        if head[0] == _ERROR and head[10] == opcode:
            return b""
        if head[0] == _REPLY:
            return head + screen._exactly(4 * struct.unpack_from("<I", head, 4)[0])


def shown(screen: XServer, area: tuple[int, int, int, int]) -> list[tuple[int, int, int, int, int]]:
    """Windows directly on the root that are mapped and meet an area (x, y, width, height): their number and place."""
    found = []
    for window in _numbers(_ask(screen, _QUERY_TREE, screen._root), 16, 2):
        attributes, geometry = _ask(screen, _ATTRIBUTES, window), _ask(screen, _GEOMETRY, window)
        if attributes and geometry and attributes[26]:
            x, y, width, height = struct.unpack_from("<hhHH", geometry, 12)
            if x < area[0] + area[2] and y < area[1] + area[3] and x + width > area[0] and y + height > area[1]:
                found.append((window, x, y, width, height))
    return found
