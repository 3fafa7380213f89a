"""SQL text: the one place where names and values are quoted."""

from __future__ import annotations

from collections.abc import Iterable


def quote(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | None) -> str:
    """Quote a text value; None becomes null."""
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def listed(values: Iterable[str]) -> str:
    """Write a list of text values: ['a', 'b']."""
    return "[" + ", ".join(literal(v) for v in values) + "]"


def columns(names: Iterable[str], prefix: str = "") -> str:
    """Write a list of quoted columns, each with an optional prefix such as `o.`."""
    return ", ".join(prefix + quote(name) for name in names)
