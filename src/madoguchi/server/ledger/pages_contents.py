"""An opened content as a page shows it. What stands in it came from outside: only numbers become a drawing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LARGEST = 100_000
_MOST_POINTS = 50_000


@dataclass(frozen=True, slots=True)
class Shown:
    """Either a drawing (`lines`: points of SVG polylines) or a text."""

    text: str = ""
    lines: tuple[str, ...] = ()
    width: int = 0
    height: int = 0


def shown(kind: str, content: Mapping[str, Any]) -> Shown:
    """By class: handwriting as lines, words and refused messages as text."""
    if kind == "signature":
        return _drawing(content)
    return Shown(text=str(content.get("text", content.get("raw", ""))))


def _drawing(content: Mapping[str, Any]) -> Shown:
    strokes = content.get("strokes")
    lines = tuple(line for one in strokes if (line := _line(one))) if isinstance(strokes, Sequence) else ()
    return Shown(lines=lines, width=_extent(content.get("width")), height=_extent(content.get("height")))


def _line(stroke: Any) -> str:
    """A dot is a line of one point twice: a polyline of one point draws nothing."""
    points = list(_points(stroke))[:_MOST_POINTS]
    return " ".join(points * 2 if len(points) == 1 else points)


def _points(stroke: Any) -> Iterator[str]:
    if isinstance(stroke, str) or not isinstance(stroke, Sequence):
        return
    for point in stroke:
        if isinstance(point, Sequence) and len(point) >= 2 and all(_number(value) for value in point[:2]):
            yield f"{float(point[0]):g},{float(point[1]):g}"


def _number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value) and abs(value) <= _LARGEST


def _extent(value: Any) -> int:
    return int(value) if _number(value) and value >= 1 else 600
