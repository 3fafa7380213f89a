"""Excel's addresses: columns as letters, ranges such as `B4:H200`."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROWS, COLUMNS = 1 << 20, 1 << 14
"""How many a sheet has."""
RANGE = r"\$?[A-Za-z]{1,3}\$?[0-9]*(:\$?[A-Za-z]{1,3}\$?[0-9]*)?|[0-9]+:[0-9]+"
"""What a range looks like: `B4:H200`, `B4:H` (to the last row), `B:H`, `4:200`."""
_END = re.compile(r"([A-Z]*)([0-9]*)")


@dataclass(frozen=True)
class Area:
    """Rows and columns of a sheet, counted from 0; the ends are not part of it."""

    top: int = 0
    left: int = 0
    bottom: int = ROWS
    right: int = COLUMNS


def area(text: str | None) -> Area:
    """Read a range; None is the whole sheet. Raises ValueError when it ends before it begins."""
    if text is None:
        return Area()
    first, _, last = text.upper().replace("$", "").partition(":")
    (left, top), (right, bottom) = _corner(first), _corner(last or first)
    found = Area(top or 0, left or 0, ROWS if bottom is None else bottom + 1, COLUMNS if right is None else right + 1)
    if found.top >= found.bottom or found.left >= found.right:
        raise ValueError(f"range `{text}` ends before it begins")
    return found


def column_number(letters: str) -> int:
    """Return a column's number from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def address(row: int, column: int) -> str:
    """Write the address of a cell, counted from 0: 1, 6 is G2."""
    letters, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def place(cell: str) -> tuple[int, int]:
    """Return row and column, from 0, of an address such as G2."""
    column, row = _corner(cell)
    return row or 0, column or 0


def _corner(text: str) -> tuple[int | None, int | None]:
    found = _END.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no address")
    return column_number(found[1]) if found[1] else None, int(found[2]) - 1 if found[2] else None
