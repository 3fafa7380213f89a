"""Looks through a workbook's XML before it is opened: what would fill memory, and the cells that hold no value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Self

from lagoa.kit.containers.guard import unsafe
from lagoa.kit.excel.address import column_number, place
from lagoa.kit.excel.package import Package
from lagoa.kit.excel.serial import BEFORE, kind_of
from lagoa.kit.xml.parse import Handlers, parse

CELLS = 50_000_000
"""How many cells a sheet's used rectangle may have, empty ones included: all of it is held in memory."""
_STEP = 1 << 20
_FAR_COLUMN, _FAR_ROW = re.compile(rb'<c r="([A-Z]{2,3})\d'), re.compile(rb'<c r="[A-Z]{1,3}(\d{6,7})"')
_ERROR = re.compile(rb'<c r="([A-Z]+\d+)"(?=[^>]* t="e")[^>]*>(?:(?!</c>).)*?<v>([^<]*)</v>', re.DOTALL)
_EMPTY = re.compile(
    rb'<c r="([A-Z]+\d+)"(?![^>]* t="str")[^>/]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)(?:<v></v>|<v ?/>)?</c>'
)
_NEGATIVE = re.compile(rb'<c r="([A-Z]+\d+)"(?=[^>]* s="(\d+)")[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>(-[^<]*)</v>')
NOT_COMPUTED = "a formula without a computed value"


@dataclass
class Seen:
    """What a sheet's XML shows: how far its cells reach, and the cells (row, column from 0) that hold no value."""

    rows: int = 0
    columns: int = 0
    faults: dict[tuple[int, int], str] = field(default_factory=dict)

    def reach(self, row: int, column: int) -> None:
        """Take note of a cell."""
        self.rows, self.columns = max(self.rows, row + 1), max(self.columns, column + 1)

    def guarded(self, name: str) -> Self:
        """Return itself. Raises SourceError LG-210 when the sheet is too wide to be held in memory."""
        if self.rows * self.columns > CELLS:
            what = f"a sheet of {name} spans {self.rows:,} rows and {self.columns:,} columns"
            raise unsafe(f"{what}, more than {CELLS:,} cells", "delete what lies far from its table, or save it as CSV")
        return self


@dataclass
class Workbook(Package):
    """The parts of an .xlsx workbook. Raises OSError for what is none, SourceError LG-210 for a bomb."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if "xl/workbook.xml" not in self.parts:
            raise OSError("it is no Excel workbook (.xlsx)")
        for name in self.parts:
            # the library that reads sheets takes these whole: unpacking them once shows what the directory hides
            if name.endswith((".xml", ".rels")) and "/worksheets/" not in name:
                for _ in self.pieces(name):
                    pass

    def sheets(self) -> dict[str, str]:
        """Return the part that holds each sheet, by the sheet's name."""
        targets: dict[str, str] = {}
        found: dict[str, str] = {}

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship":
                target = attributes.get("Target", "")
                path = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
                targets[attributes.get("Id", "")] = path.lower()

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                found[attributes.get("name", "")] = targets.get(attributes.get("id", ""), "")

        if "xl/_rels/workbook.xml.rels" in self.parts:
            parse(self.pieces("xl/_rels/workbook.xml.rels"), Handlers(start=relation))
        parse(self.pieces("xl/workbook.xml"), Handlers(start=sheet))
        return found

    def look(self, part: str) -> Seen:
        """Look through a sheet. Raises SourceError LG-210 when it is too wide to be held in memory."""
        days = self._days()
        seen = _quick(self.pieces(part), days)
        if seen is None:
            seen = _careful(self.pieces(part), days)
        return seen.guarded(self.name)

    def _days(self) -> frozenset[int]:
        """Return which styles of cells show a number as a day or a time."""
        formats, styles = dict[int, str](), list[int]()
        inside = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside
            if name == "numFmt":
                formats[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            elif name == "xf" and inside:
                styles.append(_whole(attributes.get("numFmtId")))
            elif name in ("cellXfs", "cellStyleXfs", "dxfs"):
                inside = name == "cellXfs"

        if "xl/styles.xml" in self.parts:
            parse(self.pieces("xl/styles.xml"), Handlers(start=start))
        return frozenset(n for n, number in enumerate(styles) if kind_of(number, formats) != "number")


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _quick(pieces: Iterator[bytes], days: frozenset[int]) -> Seen | None:
    """Look through XML as Excel itself and most programs write it; None: it is written in another way."""
    seen, rest, started = Seen(columns=26, rows=99_999), b"", False
    for piece in pieces:
        text = rest + piece
        if not started:
            # what stands before the rows has elements of other names that begin alike
            text = text[max(text.find(b"<sheetData"), 0) :]
            started = text.startswith(b"<sheetData")
        end = text.rfind(b"</row>") + 6
        if end < 6:
            if len(text) > 64 * _STEP:
                return None
            rest = text
            continue
        text, rest = text[:end], text[end:]
        if b"='" in text or b":c" in text or text.count(b"<c") != text.count(b'<c r="'):
            return None
        _note(text, seen, days)
    # a row that was not seen, or names with a prefix
    return seen if rest.lstrip().startswith((b"</sheetData>", b"<sheetData/>", b"<sheetData></sheetData>")) else None


def _note(text: bytes, seen: Seen, days: frozenset[int]) -> None:
    for letters in set(_FAR_COLUMN.findall(text)):
        seen.columns = max(seen.columns, column_number(letters.decode()) + 1)
    if rows := _FAR_ROW.findall(text):
        seen.rows = max(seen.rows, max(map(int, rows)))
    if b't="e"' in text:
        for cell, value in _ERROR.findall(text):
            seen.faults[place(cell.decode())] = value.decode("utf-8", "replace")
    if b"<f" in text:
        for cell in _EMPTY.findall(text):
            seen.faults[place(cell.decode())] = NOT_COMPUTED
    if days and b"<v>-" in text:
        for cell, style, value in _NEGATIVE.findall(text):
            if int(style) in days:
                seen.faults[place(cell.decode())] = BEFORE.format(value.decode("utf-8", "replace"))


class _Cells:
    """Follows a sheet's XML element by element."""

    def __init__(self, days: frozenset[int]) -> None:
        self.seen, self._days, self._style = Seen(), days, 0
        self._row = self._column = -1
        self._kind, self._formula, self._value = "", False, ""
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "c":
            self._row, self._column = place(attributes["r"]) if "r" in attributes else (self._row, self._column + 1)
            self.seen.reach(self._row, self._column)
            self._kind, self._formula, self._value = attributes.get("t", ""), False, ""
            self._style = _whole(attributes.get("s"))
        elif name == "f":
            self._formula = True
        self._inside = name == "v"

    def text(self, text: str) -> None:
        if self._inside:
            self._value += text

    def end(self, name: str) -> None:
        self._inside = False
        if name == "c" and self._kind == "e":
            self.seen.faults[self._row, self._column] = self._value
        elif name == "c" and self._formula and not self._value and self._kind != "str":
            self.seen.faults[self._row, self._column] = NOT_COMPUTED
        elif name == "c" and self._value.startswith("-") and self._kind in ("", "n") and self._style in self._days:
            self.seen.faults[self._row, self._column] = BEFORE.format(self._value)


def _careful(pieces: Iterator[bytes], days: frozenset[int]) -> Seen:
    cells = _Cells(days)
    try:
        parse(pieces, Handlers(cells.start, cells.end, cells.text))
    except (ValueError, KeyError) as error:
        raise OSError(f"a sheet is damaged: {error}") from error
    return cells.seen
