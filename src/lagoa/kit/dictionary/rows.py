"""The rows of a dictionary as texts, from CSV or Excel, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lagoa.errors import LagoaError, Place, ProjectError
from lagoa.kit.delimited.grammar import Grammar
from lagoa.kit.delimited.guess import guess
from lagoa.kit.delimited.records import records
from lagoa.kit.encoding import Decoder, is_utf8
from lagoa.kit.excel.address import address
from lagoa.kit.excel.columns import shown
from lagoa.kit.excel.opened import WORKBOOKS, Book, opened
from lagoa.kit.excel.rows import Layout, rows

LARGEST = 64 << 20
"""Bytes of the largest dictionary: it is read whenever the project is."""


@dataclass(frozen=True)
class Row:
    """A row's cells, without blanks around them, and where it stands."""

    place: Place
    cells: tuple[str, ...]


def read_rows(path: Path, name: str, sheet: str | None, open: Callable[[Path], Book]) -> list[Row]:
    """Read all rows that are not blank; `name` is what messages call the file. Raises ProjectError LG-116, OSError."""
    if path.stat().st_size > LARGEST:
        raise unusable(f"the dictionary has more than {LARGEST >> 20} MB", Place(name))
    try:
        if path.suffix.lower() in WORKBOOKS:
            found = list(_of_workbook(path, name, sheet, open))
        else:
            found = list(_of_text(path.read_bytes(), name))
    except ProjectError:
        raise
    except LagoaError as error:
        raise unusable(error.message, Place(name), error.hint) from error
    kept = [row for row in found if any(row.cells)]
    if not kept:
        raise unusable("the dictionary is empty", Place(name))
    return kept


def unusable(message: str, place: Place, hint: str | None = None) -> ProjectError:
    """Make the error of a dictionary."""
    return ProjectError("LG-116", message, place=place, hint=hint)


def _of_text(data: bytes, name: str) -> Iterator[Row]:
    text = _decoded(data, name)
    seen = guess(text, complete=True, tabs=name.lower().endswith((".tsv", ".tab")))
    if seen is None:
        return
    grammar = Grammar(replace(seen.dialect, skip=0))
    for record in records(text, 1, grammar, None):
        line = record.text.decode("utf-8", "replace")
        place = Place(name, record.line, None, line.splitlines()[0] if line else None)
        if record.reason is not None:
            raise unusable(f"the row cannot be read: {record.reason}", place)
        cells = grammar.split(record.text)
        yield Row(place, tuple(cell.decode().strip() for cell in cells))


def _decoded(data: bytes, name: str) -> bytes:
    decoder = Decoder("auto", name)
    start = decoder.strip(data[:4])
    if decoder.streams():
        try:
            return data.decode(decoder.wanted).encode()
        except UnicodeError:
            raise unusable(f"the dictionary is not valid {decoder.wanted}", Place(name)) from None
    decoded, valid = decoder.utf8(memoryview(data)[start:])
    text = data[start:] if decoded is None else decoded
    if not valid:
        line = next(n for n, raw in enumerate(text.split(b"\n"), 1) if not is_utf8(raw))
        raise unusable("the row is not valid utf-8, while others are", Place(name, line), "save the file as UTF-8")
    return text


def _of_workbook(path: Path, name: str, sheet: str | None, open: Callable[[Path], Book]) -> Iterator[Row]:
    workbook, book = opened(path, name, open)
    parts, sheets = workbook.sheets(), book.names()
    meant = sheet if sheet is not None else next((title for title, shows in sheets if shows), "")
    if meant not in {title for title, _ in sheets}:
        has = f"it has {', '.join(title for title, _ in sheets)}"
        raise unusable(f"the dictionary has no sheet {meant}".rstrip(), Place(name), has)
    faults = workbook.look(parts.get(meant, "")).faults
    cells = book.sheet(meant)
    place = f"{name}!{meant}"
    for (row, column), what in sorted(faults.items()):
        raise unusable(f"cell {address(row, column)} holds {what}", Place(place, row + 1))
    for number, row_cells in rows(cells, Layout(), cells.start[1] if cells.start else 0, ()):
        yield Row(Place(place, number + 1), tuple("" if c == "" or c is None else shown(c).strip() for c in row_cells))
