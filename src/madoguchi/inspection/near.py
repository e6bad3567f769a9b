"""Who was near at the counter: the second person of an incident, found by the holder's name."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from madoguchi.inspection import weigh
from madoguchi.inspection.judge import CHANCE_COLUMNS, chance_of_self

FITTED = pa.schema(
    [
        *((name, pa.string()) for name in ("person_id", "account", "holder_kana", "near_id", "kanji")),
        ("fits", pa.float64()),
    ]
)
"""Columns of `fit_near`."""
_SIGNAL = "名義は前後の人と合う"
_SENTENCE = (
    "口座名義は、同じ窓口で前後一時間に登録した別の人({})の氏名と合います。",
    "The holder's name fits another person ({}) who registered at the same counter within an hour. ",
)


def fit_near(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of `checks/accounts_near.sql` with `fits`: chance that the account is the near person's."""
    columns = [batch[name].cast(pa.string()) for name in FITTED.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, pa.array(chance_of_self(batch))], schema=FITTED)


def weigh_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of `checks/accounts_weighed.sql` as findings: chances, signals and reasons of those with somebody near.

    Where the account stands with a stranger already, sharing has said the same: only `whose` is filled.
    """
    near = pc.is_valid(batch["near_id"]).to_numpy(zero_copy_only=False)
    told = near & (batch["strangers"].to_numpy(zero_copy_only=False) == 0)
    before = np.stack([batch[name].to_numpy(zero_copy_only=False) for name in CHANCE_COLUMNS], axis=1)
    after = np.where(told[:, None], weigh.nearby(before), before)
    columns = {name: batch[name] for name in batch.schema.names} | {"whose": batch["near_id"]}
    columns |= {name: pa.array(after[:, place]) for place, name in enumerate(CHANCE_COLUMNS)}
    columns |= {"p_wrong": pa.array(weigh.wrong(after))}
    columns |= _texts(columns, pa.array(told))
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in schema], schema=schema)


def _texts(columns: dict[str, pa.Array], told: pa.Array) -> dict[str, pa.Array]:
    signals = pc.binary_join_element_wise(columns["signals"], _SIGNAL, "、")
    out = {"signals": pc.if_else(told, signals, columns["signals"])}
    for name, sentence in zip(("reason_ja", "reason_en"), _SENTENCE, strict=True):
        first, last = sentence.split("{}")
        new = pc.binary_join_element_wise(first, pc.fill_null(columns["near_id"], ""), last, columns[name], "")
        out[name] = pc.if_else(told, new, columns[name])
    return out
