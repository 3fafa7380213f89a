"""Which files of a table may hold given keys, told by the bounds that the log keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import Session

Bounds = Mapping[str, Mapping[str, tuple[Any, Any]]]
"""By path, by column: the least and the greatest value, nulls aside."""
_COARSE = timedelta(milliseconds=1)
"""Other writers cut times to milliseconds, so that the greatest one lies beyond what they say."""


def near(
    session: Session, keys: str, pairs: Mapping[str, str], schema: pa.Schema, paths: Sequence[str], bounds: Bounds
) -> list[str]:
    """Leave out the files that hold no key: in each column a value of the keys lies between a file's bounds.

    `keys` is a relation, and `pairs` gives, by column of `schema`, the column of the keys that it must equal.
    """
    left = list(paths)
    for column, key in pairs.items():
        known = {p: bounds[p][column] for p in left if column in bounds.get(p, {})}
        if known:
            among = _between(session, keys, key, sql_type(schema.field(column).type), known)
            left = [p for p in left if p not in known or p in among]
    return left


def _between(session: Session, keys: str, key: str, kind: str, known: Mapping[str, tuple[Any, Any]]) -> set[str]:
    column, relation = quote(key), quote(keys)
    sides = ", ".join(
        f"({literal(path)}, cast({literal(str(low))} as {kind}), cast({literal(_upper(high))} as {kind}))"
        for path, (low, high) in known.items()
    )
    found = session.rows(
        f"select b.path from (values {sides}) b(path, low, high) "
        f"asof join (select distinct {column} as v from {relation}) s on b.low <= s.v where s.v <= b.high "
        f"union all select null where exists (select 1 from {relation} where {column} is null)"
    )
    if (None,) in found:
        return set(known)  # bounds say nothing of nulls
    return {path for (path,) in found}


def _upper(high: Any) -> str:
    return str(high + _COARSE if isinstance(high, datetime) else high)
