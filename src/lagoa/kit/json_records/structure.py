"""The columns and types of JSON records, merged over all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

INTEGERS = {"UBIGINT", "BIGINT", "HUGEINT"}
_KINDS: dict[str, Any] = {
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
}
_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")
_DEEPEST = 20

Structure = Any
"""A type's name, {key: structure} or [structure], as DuckDB's `json_group_structure` gives it."""


def merged(one: Structure, two: Structure) -> Structure:
    """Return the structure that holds the values of both; text when nothing else does."""
    if one == two or two in (None, "NULL"):
        return one
    if one in (None, "NULL"):
        return two
    if isinstance(one, dict) and isinstance(two, dict):
        return {**{k: merged(v, two.get(k)) for k, v in one.items()}, **{k: v for k, v in two.items() if k not in one}}
    if isinstance(one, list) and isinstance(two, list):
        return [merged(one[0], two[0])]
    if isinstance(one, str) and isinstance(two, str) and {one, two} <= INTEGERS | {"DOUBLE"}:
        return "DOUBLE" if "DOUBLE" in (one, two) else "BIGINT"
    return "VARCHAR"


def emptied(found: Structure, bare: Structure) -> Structure:
    """Return a structure that says of what is an empty object wherever it is one that it is one.

    `bare` is the structure of the same records with nulls in the stead of empty objects.
    """
    if isinstance(found, dict) and isinstance(bare, dict):
        return {key: emptied(inside, bare.get(key)) for key, inside in found.items()}
    if isinstance(found, list) and isinstance(bare, list):
        return [emptied(found[0], bare[0])]
    return {} if found == "JSON" and bare == "NULL" else found


def ordered(one: Structure, like: Structure) -> Structure:
    """Return a structure with the keys that another one has, too, first and in its order."""
    if isinstance(one, dict) and isinstance(like, dict):
        keys = [*(key for key in like if key in one), *(key for key in one if key not in like)]
        return {key: ordered(one[key], like.get(key)) for key in keys}
    if isinstance(one, list) and isinstance(like, list):
        return [ordered(one[0], like[0])]
    return one


def guarded(found: Structure, wide: Structure) -> Structure:
    """Return the structure with text where a double would round an integer.

    `wide` is the structure of the records with long integers, had these been text.
    """
    if isinstance(found, dict) and isinstance(wide, dict):
        return {key: guarded(inside, wide.get(key)) for key, inside in found.items()}
    if isinstance(found, list) and isinstance(wide, list):
        return [guarded(found[0], wide[0])]
    return "VARCHAR" if found == "DOUBLE" and wide in ("VARCHAR", "JSON") else found


def settled(found: Structure, depth: int = 0) -> Structure:
    """Return the structure in types that Delta holds; a struct with names that it cannot hold becomes JSON text."""
    if isinstance(found, dict):
        folded = {key.casefold() for key in found}
        odd = any(not key or _FORBIDDEN.search(key) or "\x00" in key for key in found)
        if depth > _DEEPEST or not found or odd or len(folded) < len(found):
            return "VARCHAR"
        return {key: settled(inside, depth + 1) for key, inside in found.items()}
    if isinstance(found, list):
        return [settled(found[0], depth + 1)] if depth <= _DEEPEST else "VARCHAR"
    if found in INTEGERS:
        return "BIGINT"
    return found if found in _KINDS else "VARCHAR"


def arrow(found: Structure) -> Any:
    """Return the Arrow type of a settled structure."""
    if isinstance(found, dict):
        return pa.struct([pa.field(key, arrow(inside)) for key, inside in found.items()])
    return pa.list_(arrow(found[0])) if isinstance(found, list) else _KINDS[found]


def written(columns: Mapping[str, Structure]) -> str:
    """Write the structure of records for DuckDB's `from_json`."""
    return json.dumps(dict(columns), ensure_ascii=False)
