"""Constants that users write in YAML, as SQL that compares exactly."""

from __future__ import annotations

from lagoa.kit.text import literal

Constant = bool | int | float | str
"""A value as YAML gives it; dates and times are text there."""


def constant(value: Constant, column_type: str) -> str:
    """Return SQL for a constant that is compared with a column: numbers as written, text in the column's type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return f"{literal(value)}::{column_type}" if column_type else literal(value)
