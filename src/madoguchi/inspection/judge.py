"""One batch of the register through the names room: chances weighed, findings kept, the rest counted."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from madoguchi.inspection import weigh
from madoguchi.names.batch import GIVEN, judge_arrow
from madoguchi.names.match import match

FLOOR = 1e-3
"""Least chance of being wrong that makes a row a finding; who shares with a stranger, whose account is in
another's name by the name match, or whose name cannot be judged, is always one."""
UNIT = 1e12
"""`rest_wrong` counts in parts of one this small, as whole numbers: their sum is the same in any order."""
_EDGES = np.array([1e-7, 1e-6, 1e-5, 3e-5, 1e-4, 2e-4, 5e-4])
_COUNTS = ("shared_by", "strangers", "same_day", "better")
CHANCE_COLUMNS = ("p_self", "p_family", "p_oldname", "p_other")
"""Chances of the four kinds."""
_ADDED = pa.schema(
    [
        ("shared_by", pa.int64()),
        ("signals", pa.string()),
        ("verdict", pa.string()),
        *((name, pa.float64()) for name in (*CHANCE_COLUMNS, "p_wrong")),
        ("reason_ja", pa.string()),
        ("reason_en", pa.string()),
        ("whose", pa.string()),
    ]
)
_INNER = pa.schema(
    [("strangers", pa.int64()), ("rest_bin", pa.int64()), ("rest_rows", pa.int64()), ("rest_wrong", pa.int64())]
)
ADDED = (*_ADDED.names, *_INNER.names, "rank", "same_day", "better", "near_id")
"""Names of columns that an inspection adds."""
_SIGNALS = ("", "家族と同じ口座", "姓も住所も違う人と同じ口座", "同じ日・同じ窓口の他人と同じ口座")
_VERDICTS = {"FAMILY": "名が違う", "OLDNAME": "姓が違う", "OTHER": "姓も名も違う", "UNDETERMINED": "氏名で判定できない"}
_BETTER = (
    "名義は同じ口座の別の人によく合う",
    "名義は、同じ口座の別の人の氏名のほうによく合います。",
    "The holder's name fits another person on the account better. ",
)
_SENTENCES = (
    ("", ""),
    (
        "この口座は、姓か住所が同じ人を含む{0}人に登録されています。",
        "The account stands with {0} people, all of one surname or address. ",
    ),
    (
        "この口座は{0}人に登録されていて、姓も住所も違う人がいます。",
        "The account stands with {0} people, somebody of another surname and address among them. ",
    ),
    (
        "この口座は{0}人に登録されていて、姓も住所も違う人が同じ日に同じ窓口で登録しています。",
        "The account stands with {0} people; somebody of another surname and address registered it at the same counter "
        "on the same day. ",
    ),
)
FITTED = pa.schema(
    [
        *((name, pa.string()) for name in ("account", "person_id", "surname", "address", "place")),
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("kanji", "holder_kana")),
        ("fits", pa.float64()),
    ]
)
"""Columns of `fit_batch`."""
Bools = npt.NDArray[np.bool_]


def judged_schema(register: pa.Schema) -> pa.Schema:
    """Columns of `judge_batch`: the register's, then what the inspection adds."""
    return pa.schema([*register.remove_metadata(), *_ADDED, *_INNER])


def found_columns(register: pa.Schema) -> list[str]:
    """Columns of the findings, in order: rank, those every register has, those added, those of this register only."""
    from madoguchi.inspection.register import SCHEMA

    return ["rank", *SCHEMA.names, *_ADDED.names, *(name for name in register.names if name not in SCHEMA.names)]


def judge_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Findings of a batch of `checks/accounts_evidence.sql`, then one row for each group of the rest."""
    more = {name: batch[name] for name in GIVEN if name in batch.schema.names}
    judged = judge_arrow(batch["kanji"], batch["holder_kana"], **more)
    shared_by, strangers, same_day, better = (_whole(batch[name]) for name in _COUNTS)
    levels = weigh.who_else(shared_by, strangers, same_day)
    kernel = np.stack([judged[name].to_numpy(zero_copy_only=False) for name in CHANCE_COLUMNS], axis=1)
    chances = weigh.weigh(kernel, levels, better)
    wrong = weigh.wrong(chances)
    unjudged = judged["status"].to_numpy(zero_copy_only=False) != 0
    kept = (wrong >= FLOOR) | (strangers > 0) | unjudged | _others(judged["verdict"])
    rows = pa.array(np.flatnonzero(kept))
    found = {name: batch[name].take(rows) for name in batch.schema.names if name not in _COUNTS}
    found |= {name: pa.array(chances[kept, place]) for place, name in enumerate(CHANCE_COLUMNS)}
    found |= {"p_wrong": pa.array(wrong[kept]), "shared_by": pa.array(shared_by[kept])}
    found |= {"strangers": pa.array(strangers[kept]), "verdict": judged["verdict"].take(rows).cast(pa.string())}
    found |= _told(found, levels[kept], better[kept] > 0)
    return _laid([found, _rest(wrong[~kept])], schema)


def fit_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of `checks/accounts_fitting.sql` with `fits`: chance of SELF, 0 where nobody can say."""
    columns = [batch[name].cast(FITTED.field(name).type) for name in FITTED.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, pa.array(chance_of_self(batch))], schema=FITTED)


def chance_of_self(batch: pa.RecordBatch) -> weigh.Floats:
    """The name match's chance that `holder_kana` is `kanji`'s, by its own prior chances; 0 where nobody can say."""
    judged = judge_arrow(batch["kanji"], batch["holder_kana"])
    known = judged["status"].to_numpy(zero_copy_only=False) == 0
    return np.where(known, judged["p_self"].to_numpy(), 0.0)


def _others(verdicts: pa.Array) -> Bools:
    return np.asarray(pc.is_in(verdicts.cast(pa.string()), pa.array(["FAMILY", "OTHER"])), dtype=np.bool_)


def _whole(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def _told(found: dict[str, pa.Array], levels: npt.NDArray[np.int64], better: Bools) -> dict[str, pa.Array]:
    """Signals and reasons of the findings."""
    texts = list(_texts(found, levels, better))
    names = ("signals", "reason_ja", "reason_en")
    return {name: pa.array([text[place] for text in texts], pa.string()) for place, name in enumerate(names)}


def _texts(found: dict[str, pa.Array], levels: npt.NDArray[np.int64], better: Bools) -> Iterator[tuple[str, str, str]]:
    columns = [found[name].to_pylist() for name in ("kanji", "holder_kana", "shared_by", "verdict")]
    known = [found[name].to_pylist() if name in found else [None] * len(levels) for name in GIVEN]
    more = (dict(zip(GIVEN, values, strict=True)) for values in zip(*known, strict=True))
    lines = zip(*columns, more, levels.tolist(), better.tolist(), strict=True)
    for kanji, kana, people, verdict, given, level, fits in lines:
        names = match(kanji or "", kana or "", **given)
        marks = (_SIGNALS[level], _BETTER[0] if fits else "", _VERDICTS.get(verdict, ""))
        japanese, english = (text.format(people) for text in _SENTENCES[level])
        if fits:
            japanese, english = japanese + _BETTER[1], english + _BETTER[2]
        yield "、".join(mark for mark in marks if mark), japanese + names.reason_ja, english + names.reason_en


def _rest(wrong: weigh.Floats) -> dict[str, pa.Array]:
    """Rows below the limit, counted in groups of about equal chance."""
    bins = np.searchsorted(_EDGES, wrong, side="right")
    parts = np.rint(wrong * UNIT).astype(np.int64)
    there = np.unique(bins)
    rows = [int(np.count_nonzero(bins == group)) for group in there]
    sums = [int(parts[bins == group].sum()) for group in there]
    return {
        "rest_bin": pa.array(there.astype(np.int64)),
        "rest_rows": pa.array(rows, pa.int64()),
        "rest_wrong": pa.array(sums, pa.int64()),
    }


def _laid(parts: list[dict[str, pa.Array]], schema: pa.Schema) -> pa.RecordBatch:
    """Parts below each other; what a part lacks is null."""
    columns = []
    for field in schema:
        laid = [_column(part, field) for part in parts]
        columns.append(pa.concat_arrays(laid))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(part: dict[str, pa.Array], field: pa.Field) -> pa.Array:
    if field.name not in part:
        return pa.nulls(len(next(iter(part.values()))), field.type)
    return pc.cast(part[field.name], field.type)
