"""Strict casts: SQL that changes a column's type, or fails where a value would be lost or rounded."""

from __future__ import annotations

from enum import IntEnum

import pyarrow as pa

from lagoa.kit.text import literal
from lagoa.kit.types import is_list, is_nested, sql_type, storable

MISFIT = "lagoa-misfit: "
"""What the message of an error raised by these casts starts with, so that an engine knows its own."""
_INTEGERS = {pa.int8(): 3, pa.int16(): 5, pa.int32(): 10, pa.int64(): 19}


class Risk(IntEnum):
    """What a cast may do to a value."""

    NONE = 0
    """Every value survives."""
    RANGE = 1
    """A value may not fit at all; one that fits survives."""
    EXACT = 2
    """A value may be rounded or cut: only the way there and back shows it."""
    TEXT = 3
    """Text read as a number: its digits show whether it would be rounded."""
    NEVER = 4
    """There is no such cast."""


def risk(have: pa.DataType, want: pa.DataType) -> Risk:
    """Say what a cast between two types (as Delta holds them) may do."""
    have, want = storable(have), storable(want)
    t = pa.types
    if have == want or (t.is_string(want) and not is_nested(have)):
        return Risk.NONE
    if is_nested(have) or is_nested(want):
        return _nested(have, want)
    if t.is_string(have):
        return _from_text(want)
    if t.is_boolean(have):
        return Risk.NONE if _is_number(want) else Risk.NEVER
    if _is_number(have):
        return _from_number(have, want)
    if t.is_binary(have) or t.is_binary(want) or _is_number(want) or t.is_boolean(want):
        return Risk.NEVER
    return Risk.EXACT if t.is_date(want) else Risk.NONE


def _is_number(kind: pa.DataType) -> bool:
    return kind in _INTEGERS or bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _from_text(want: pa.DataType) -> Risk:
    if want in _INTEGERS or pa.types.is_decimal(want):
        return Risk.TEXT
    return Risk.EXACT if pa.types.is_date(want) else Risk.RANGE


def _from_number(have: pa.DataType, want: pa.DataType) -> Risk:
    if not _is_number(want):
        return Risk.EXACT if pa.types.is_boolean(want) else Risk.NEVER
    if pa.types.is_floating(have):
        return Risk.NONE if (have, want) == (pa.float32(), pa.float64()) else Risk.EXACT
    if pa.types.is_floating(want):
        whole, fine = _digits(have)
        return Risk.NONE if fine == 0 and whole <= (7 if want == pa.float32() else 15) else Risk.EXACT
    (whole, fine), (room, finer) = _digits(have), _digits(want)
    if fine > finer:
        return Risk.EXACT
    return Risk.NONE if _holds(have, want, whole, room) else Risk.RANGE


def _holds(have: pa.DataType, want: pa.DataType, whole: int, room: int) -> bool:
    if have in _INTEGERS and want in _INTEGERS:
        return _INTEGERS[have] <= _INTEGERS[want]
    # the greatest bigint has 19 digits, so bigint holds any 18
    return whole <= (room - 1 if want in _INTEGERS else room)


def _digits(kind: pa.DataType) -> tuple[int, int]:
    """Digits before and after the point."""
    if kind in _INTEGERS:
        return _INTEGERS[kind], 0
    return kind.precision - kind.scale, kind.scale


def _nested(have: pa.DataType, want: pa.DataType) -> Risk:
    t = pa.types
    if is_list(have) and is_list(want):
        return _inside(risk(have.value_type, want.value_type))
    if t.is_map(have) and t.is_map(want):
        return max(_inside(risk(have.key_type, want.key_type)), _inside(risk(have.item_type, want.item_type)))
    if not (t.is_struct(have) and t.is_struct(want)):
        return Risk.NEVER
    fields = {f.name.lower(): f.type for f in want}
    mine = {f.name.lower(): f.type for f in have}
    if not mine.keys() <= fields.keys():
        return Risk.NEVER  # the cast would drop a field without a word
    return max((_inside(risk(kind, fields[name])) for name, kind in mine.items()), default=Risk.NEVER)


def _inside(found: Risk) -> Risk:
    """What lies inside another value is compared with it, the way there and back."""
    return Risk.EXACT if found in (Risk.RANGE, Risk.TEXT) else found


def strict(value: str, raw: str, have: pa.DataType, want: pa.DataType, name: str) -> str:
    """Write SQL that casts `value` to `want`, or raises MISFIT.

    `raw` is its type in DuckDB, `have` what Delta holds that as.
    """
    cast, kept = survival(value, raw, have, want)
    if kept is None:
        return cast
    to = sql_type(want)
    error = literal(f"{MISFIT}column `{name}` holds a value that {to.lower()} cannot keep as it is")
    return f"case when {value} is null or {kept} then {cast} else cast(error({error}) as {to}) end"


def survival(value: str, raw: str, have: pa.DataType, want: pa.DataType) -> tuple[str, str | None]:
    """Write SQL for the cast of `value` to `want`, and for whether it is kept as it is; None: it always is.

    Where it is not kept, the cast may be null or another value.
    """
    to = sql_type(want)
    danger = Risk.EXACT if "TIMESTAMP_NS" in raw else risk(have, want)
    if danger is Risk.NONE and "HUGEINT" in raw:
        danger = Risk.RANGE
    if raw == to:
        return value, None
    if danger is Risk.NONE:
        return f"cast({value} as {to})", None
    if danger is Risk.NEVER:
        return f"null::{to}", "false"
    cast = f"try_cast({value} as {to})"
    if danger is Risk.RANGE:
        return cast, f"{cast} is not null"
    if danger is Risk.EXACT:
        return cast, f"({cast} is not null and {_there_and_back(value, cast, raw, want)})"
    return cast, f"(regexp_full_match({value}, {literal(_number(want))}) and {cast} is not null)"


def _there_and_back(value: str, cast: str, raw: str, want: pa.DataType) -> str:
    if raw == "VARCHAR" and pa.types.is_date(want):  # one date has many spellings, one time has not
        return f"try_cast({value} as TIMESTAMP) = {cast}::TIMESTAMP"
    return f"try_cast({cast} as {raw}) is not distinct from {value}"


def _number(want: pa.DataType) -> str:
    scale = want.scale if pa.types.is_decimal(want) else 0
    return rf"\s*[+-]?[0-9]*(\.[0-9]{{0,{scale}}}0*)?\s*"
