"""Lays rows out as aligned text, whatever the data holds: wide letters, line breaks, or control codes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence

NULL = "∅"
GAP = "  "
_LEAST = 8
"""A column is not made narrower than this; columns that then do not fit are left out, and counted."""
_SHOWN = {"\n": "↵", "\r": "", "\t": "→"}

Style = Callable[[str], str]
"""Wraps a text in colour, or returns it as it is."""
Paint = Callable[[int, str, str], str]


def grid(
    headers: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    right: Collection[int] = (),
    width: int | None = None,
    bold: Style = str,
    dim: Style = str,
    paint: Paint = lambda *cell: cell[-1],
    whole: Collection[int] = (),
) -> list[str]:
    """Lay out a table as lines of text; columns in `right` are right-aligned.

    `paint` gets a cell's column, its text and what is shown of it, and returns that in colour.
    Columns in `whole` are cut only when nothing else is left to cut.
    With `width`, wide columns are cut (`…`) until the lines fit; what cannot fit is named by a last line.
    """
    shown = [[_flat(cell) for cell in row] for row in rows]
    heads = [_flat(header) or "" for header in headers]
    wide = [max(_width(head), *(_width(_or_null(row[i])) for row in shown), 0) for i, head in enumerate(heads)]
    kept = _fitted(wide, width, whole) if width else wide
    count = len(kept)
    lines = [bold(_line(heads, kept, right)), dim(GAP.join("─" * w for w in kept))]

    def painted(column: int, cell: str | None, text: str) -> str:
        return dim(text) if cell is None else paint(column, cell, text)

    lines += [_line(row, kept, right, painted) for row in shown]
    if count < len(heads):
        left_out = len(heads) - count
        words = f"… {left_out} more column{'s' if left_out > 1 else ''}: {', '.join(heads[count:])}"
        lines.append(dim(_cut(words, width) if width else words))
    return lines


def _line(
    cells: Sequence[str | None],
    widths: Sequence[int],
    right: Collection[int],
    paint: Callable[[int, str | None, str], str] = lambda *cell: cell[-1],
) -> str:
    parts = []
    last = len(widths) - 1
    for i, wide in enumerate(widths):
        cell = cells[i]
        text = _cut(_or_null(cell), wide)
        space = " " * (wide - _width(text))
        shown = paint(i, cell, text)
        parts.append(space + shown if i in right else shown if i == last else shown + space)
    return GAP.join(parts).rstrip()


def _fitted(wide: list[int], width: int, whole: Collection[int]) -> list[int]:
    """Take from the widest columns until all fit; drop the last ones when that is not enough."""
    kept = list(wide)
    while len(kept) > 1 and sum(min(w, _LEAST) for w in kept) + len(GAP) * (len(kept) - 1) > width:
        kept.pop()
    for open_to_cut in ([i for i in range(len(kept)) if i not in whole], list(range(len(kept)))):
        while (sum(kept) + len(GAP) * (len(kept) - 1) > width) and open_to_cut:
            widest = max(open_to_cut, key=lambda i: kept[i])
            if kept[widest] <= _LEAST:
                break
            kept[widest] -= 1
    return kept


def _or_null(cell: str | None) -> str:
    return NULL if cell is None else cell


def _flat(text: str | None) -> str | None:
    """Keep a cell on one line and free of codes that would steer the terminal."""
    if text is None or text.isprintable():
        return text
    return "".join(_SHOWN.get(c, c if c.isprintable() else "�") for c in text)


def _cut(text: str, wide: int) -> str:
    if _width(text) <= wide:
        return text
    taken, used = [], 0
    for letter in text:
        step = _width(letter)
        if used + step > wide - 1:
            break
        taken.append(letter)
        used += step
    return "".join(taken) + "…"


def _width(text: str) -> int:
    """Count the places that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
