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
_FEW = 64
"""Up to so many files a key is compared with the bounds of each; to sort the keys costs less for more files alone."""
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
    sides = {
        path: [f"cast({literal(text)} as {kind})" for text in (str(low), _upper(high))]
        for path, (low, high) in known.items()
    }
    if len(known) <= _FEW:
        inside = ", ".join(f"bool_or({column} between {low} and {high})" for low, high in sides.values())
        null, *found = session.rows(f"select count(*) > count({column}), {inside} from {relation}")[0]
        return set(known) if null else {path for path, holds in zip(known, found, strict=True) if holds}
    values = ", ".join(f"({literal(path)}, {low}, {high})" for path, (low, high) in sides.items())
    rows = session.rows(
        f"select b.path from (values {values}) b(path, low, high) "
        f"asof join (select distinct {column} as v from {relation}) s on b.low <= s.v where s.v <= b.high "
        f"union all select null where exists (select 1 from {relation} where {column} is null)"
    )
    return set(known) if (None,) in rows else {path for (path,) in rows}  # bounds say nothing of nulls


def _upper(high: Any) -> str:
    return str(high + _COARSE if isinstance(high, datetime) else high)
