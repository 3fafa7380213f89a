"""The columns of an Airbyte catalog: what its JSON schema says of each property, in our words for types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OWN = {
    "timestamp_with_timezone": "timestamptz",
    "timestamp_without_timezone": "timestamp",
    "time_with_timezone": "text",
    "time_without_timezone": "text",
    "big_integer": "decimal(38, 0)",
    "big_number": "text",
    "integer": "bigint",
}
"""What `airbyte_type` says, whatever the property's JSON type is."""
_FORMATS = {"date": "date", "date-time": "timestamptz"}
_SIMPLE = {"integer": "bigint", "number": "double", "boolean": "boolean", "object": "json", "array": "json"}
TEXT = "text"


def declared_types(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return each property of a stream's JSON schema with the type in which its values land."""
    found = schema.get("properties")
    return {name: declared_type(said) for name, said in found.items()} if isinstance(found, dict) else {}


def declared_type(said: Any) -> str:
    """Return the type of one property; text when its values are of several kinds, or of none that is said."""
    words = _words(said)
    if words == {"bigint", "double"}:
        return "double"
    return words.pop() if len(words) == 1 else TEXT


def _words(said: Any) -> set[str]:
    if not isinstance(said, dict):
        return {TEXT}
    if said.get("airbyte_type") in _OWN:
        return {_OWN[said["airbyte_type"]]}
    several = said.get("oneOf") or said.get("anyOf")
    if isinstance(several, list):
        return {word for one in several if not _is_null(one) for word in _words(one)}
    kinds = said.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return {_word(kind, said.get("format")) for kind in listed if kind != "null"}


def _is_null(said: Any) -> bool:
    return isinstance(said, dict) and said.get("type") in ("null", ["null"])


def _word(kind: Any, format: Any) -> str:
    return _FORMATS.get(str(format), TEXT) if kind == "string" else _SIMPLE.get(str(kind), TEXT)
