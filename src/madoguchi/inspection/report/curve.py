"""The chart's data: how much is found after how many looks, on a scale that shows the first hundred and the last."""

import math
from typing import Any

from madoguchi.inspection.summary import Look, Summary

AIM = 0.99
"""The share of the wrong ones that the chart's line asks for."""

_POINTS = 200
_UPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def curve(summary: Summary) -> dict[str, Any]:
    """Points within 0…1 both ways; ticks; where the aim is reached. Across: the logarithm of the number looked at."""
    reach = math.log10(max((one.looked for one in summary.looks), default=0) or 1)
    usable = [one for one in summary.looks if one.looked >= 1 and math.isfinite(one.found_share)]
    if len(usable) < 2 or reach == 0:
        return {"points": []}
    needed = summary.looks_for_99
    return {
        "points": [[math.log10(one.looked) / reach, _within(one.found_share)] for one in _drawn(summary, usable)],
        "ups": [{"at": up, "label": f"{up:.0%}"} for up in _UPS],
        "acrosses": [{"at": p / reach, "label": f"{10**p:,}"} for p in range(math.floor(reach) + 1)],
        "aim": AIM,
        "aim_label": f"99 %: {needed:,}",
        "needed": math.log10(needed) / reach if 1 <= needed <= 10**reach else None,
        "caption": ("上から確認した件数(横、対数)と、見つかる割合(縦)", "Looked at from the top (log) and share found"),
        "alt": _in_words(summary, usable),
    }


def _drawn(summary: Summary, looks: list[Look]) -> list[Look]:
    """The points of the line; it goes through the aim where the summary says that it is reached."""
    aim = Look(summary.looks_for_99, AIM, 0.0)
    apart = aim.looked not in {one.looked for one in looks} and looks[0].looked < aim.looked < looks[-1].looked
    return _thinned(sorted([*looks, *([aim] if apart else [])], key=lambda one: one.looked))


def _thinned(looks: list[Look]) -> list[Look]:
    """About `_POINTS` of them, evenly on the logarithm, the first and the last among them."""
    kept, step = looks[:1], max(one.looked for one in looks) ** (1 / _POINTS)
    for one in looks:
        if one.looked >= kept[-1].looked * step or one is looks[-1]:
            kept.append(one)
    return kept


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def _in_words(summary: Summary, looks: list[Look]) -> str:
    """What the picture shows, for those who hear it."""
    half = next((one.looked for one in looks if one.found_share >= 0.5), looks[-1].looked)
    found = f"{half:,}件で半分、{summary.looks_for_99:,}件で99 %"
    return f"確認した件数と見つかる割合の折れ線グラフ。{found}が見つかる見込み。"
