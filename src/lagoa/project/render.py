"""Writes errors the way a user reads them: what happened, where with the line shown, what to do."""

from __future__ import annotations

import unicodedata

from lagoa.errors import LagoaError, Place, ProjectErrors

_WIDEST = 160
"""Columns of a line that are shown; longer lines are cut around the place."""


def render(error: LagoaError) -> str:
    """Write an error as plain text; ProjectErrors become one block for each of their errors.

    Meaning never depends on colour: this text is complete as it stands.
    """
    if isinstance(error, ProjectErrors):
        return "\n\n".join(render(one) for one in error.errors)
    lines = [f"error[{error.code}]: {error.message}"]
    if error.place is not None:
        lines += _place(error.place)
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    return "\n".join(lines)


def _place(place: Place) -> list[str]:
    lines = [f"  --> {place}"]
    if place.line is None or place.text is None or not place.text.strip():
        return lines
    text, column = _cut(place.text.rstrip(), place.column)
    number = str(place.line)
    gutter = " " * len(number)
    lines += [f"  {gutter} |", f"  {number} | {_spaced(text)}"]
    if column is not None:
        lines.append(f"  {gutter} | {' ' * _width(text[: column - 1])}^")
    return lines


def _cut(text: str, column: int | None) -> tuple[str, int | None]:
    """Keep the part of a long line that holds the column."""
    if len(text) <= _WIDEST:
        return text, column
    start = max(0, min((column or 1) - _WIDEST // 2, len(text) - _WIDEST))
    cut = ("…" if start else "") + text[start : start + _WIDEST] + ("…" if start + _WIDEST < len(text) else "")
    return cut, column if column is None else column - start + (1 if start else 0)


def _spaced(text: str) -> str:
    return text.replace("\t", "    ")


def _width(text: str) -> int:
    """Count the terminal's columns: a tab takes four, a wide character two, an accent of its own none."""
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))
    return wide + 3 * text.count("\t")
