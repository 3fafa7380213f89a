"""The rows of a sheet that are records, and the names that its header gives to their columns."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from lagoa.kit.excel.address import Area
from lagoa.kit.excel.columns import shown

Corner = tuple[int, int]


class Sheet(Protocol):
    """A sheet as the driver gives it: rows from `start` (row, column from 0) on, merged cells as their corners."""

    start: tuple[int, int] | None
    merged_cell_ranges: list[tuple[tuple[int, int], tuple[int, int]]] | None

    def iter_rows(self) -> Iterator[list[Any]]:
        """Yield the rows from the sheet's first one on."""


class Fault(str):
    """Why a cell holds no value."""


@dataclass
class Table:
    """A sheet whose rows are held in memory, each to its last value."""

    merged_cell_ranges: list[tuple[Corner, Corner]] | None
    lines: list[list[Any]]
    width: int
    start: tuple[int, int] | None = (0, 0)

    def iter_rows(self) -> Iterator[list[Any]]:
        """Yield the rows from the first one on."""
        for line in self.lines:
            yield line + [""] * (self.width - len(line))


@dataclass(frozen=True)
class Layout:
    """Where a stream's cells stand, and how they are read."""

    sheet: str | int | None = None
    area: Area = field(default_factory=Area)
    header: int = 1
    skip: int = 0
    skip_last: int = 0
    fill_merged: bool = False
    names: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    null_values: tuple[str, ...] = ()
    trim: bool = False


def rows(sheet: Sheet, layout: Layout, left: int, faulty: Container[int]) -> Iterator[tuple[int, list[Any]]]:
    """Yield number (from 0) and cells (from column `left` on) of the rows that are records, the header's included.

    Blank rows are none, unless they are `faulty`: their cells hold errors. What is skipped at both ends is left out.
    """
    held = deque[tuple[int, list[Any]]]()
    start = sheet.start[1] if sheet.start else 0
    merged = _merged(sheet, left, layout.area.right) if layout.fill_merged else {}
    values: dict[Corner, Any] = {}
    begins, first, right = layout.area.top + layout.skip, left - start, layout.area.right - start
    for number, row in enumerate(islice(_lines(sheet, max(merged, default=0) + 1), layout.area.bottom)):
        cells = row if not first and len(row) <= right and not merged else row[first:right]
        for column, corner in merged.get(number, ()):
            if corner[0] == number:
                values[corner] = row[corner[1] - start]
            cells[column - left] = values[corner]
        blank = not any(cells) and number not in faulty and all(cell == "" for cell in cells)
        if blank or number < begins:
            continue
        if not layout.skip_last:
            yield number, cells
            continue
        held.append((number, cells))
        if len(held) > layout.skip_last:
            yield held.popleft()


def _lines(sheet: Sheet, least: int) -> Iterator[list[Any]]:
    """Yield a sheet's rows, and blank ones up to the last row of merged cells, which no value of their own reaches."""
    count, width = 0, 0
    for row in sheet.iter_rows():
        count, width = count + 1, len(row)
        yield row
    for _ in range(count, least if width else 0):
        yield [""] * width


def header(records: Iterator[tuple[int, list[Any]]], lines: int) -> list[str]:
    """Read the names of the columns from the first records; above the last line an empty cell is like its left one."""
    texts = [["" if cell == "" else shown(cell).strip() for cell in cells] for _, cells in islice(records, lines)]
    for line in texts[:-1]:
        for nth in range(1, len(line)):
            line[nth] = line[nth] or line[nth - 1]
    return [" ".join(text for text in column if text) for column in zip(*texts, strict=True)]


def _merged(sheet: Sheet, left: int, right: int) -> Mapping[int, list[tuple[int, Corner]]]:
    """Return, by row, the cells that stand for the corner of the merged ones that they are part of."""
    found: dict[int, list[tuple[int, Corner]]] = {}
    for corner, (bottom, last) in sheet.merged_cell_ranges or ():
        for row in range(corner[0], bottom + 1):
            cells = range(max(corner[1], left), min(last + 1, right))
            found.setdefault(row, []).extend((column, corner) for column in cells)
    return found
