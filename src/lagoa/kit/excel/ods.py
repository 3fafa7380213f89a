"""OpenDocument spreadsheets (.ods), as LibreOffice saves them: values as they are stored, errors and all."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from lagoa.kit.excel.address import COLUMNS, ROWS
from lagoa.kit.excel.package import Package
from lagoa.kit.excel.rows import Corner, Fault, Sheet, Table
from lagoa.kit.excel.scan import NOT_COMPUTED, Seen
from lagoa.kit.xml.parse import Handlers, parse

CONTENT = "content.xml"
_ERROR = re.compile(r"#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|WERT!|VALOR!|NOME\?)|Err:\d+")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d+)?)?Z?")
_TIME = re.compile(r"(-)?P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?")
_CELLS = ("table-cell", "covered-table-cell")


@dataclass
class Ods(Package):
    """A spreadsheet. Raises OSError for what is none, SourceError LG-210 for a bomb."""

    _tables: list[tuple[str, bool]] = field(default_factory=list)
    _held: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(b"encryption-data" in piece for piece in self.pieces("meta-inf/manifest.xml")):
            raise OSError("it is encrypted")
        names = _Names()
        parse(self.pieces(CONTENT), Handlers(start=names.start))
        self._tables = [(name, style not in names.hidden) for name, style in names.tables]

    def names(self) -> list[tuple[str, bool]]:
        """Return the names of the sheets, and whether each is visible."""
        return self._tables

    def sheets(self) -> dict[str, str]:
        """Return which sheet has which name."""
        return {name: name for name, _ in self._tables}

    def look(self, part: str) -> Seen:
        """Read a sheet. Raises SourceError LG-210 when it is too wide to be held in memory."""
        cells = _Cells(part, self.name)
        parse(self.pieces(CONTENT), Handlers(cells.start, cells.end, cells.text))
        self._held = {part: Table(cells.merged, cells.lines, cells.seen.columns)}
        return cells.seen

    def sheet(self, name: str) -> Sheet:
        """Return the sheet that was looked at last."""
        return self._held.pop(name)


class _Names:
    """Gathers the sheets' names, and the styles that hide sheets."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table" and "name" in attributes:
            self.tables.append((attributes["name"], attributes.get("style-name", "")))
        elif name == "style":
            self._style = attributes.get("name", "")
        elif name == "table-properties" and attributes.get("display") == "false":
            self.hidden.add(self._style)


class _Cells:
    """Follows one sheet, element by element. Texts are those of a cell's own paragraphs, not of notes and drawings."""

    def __init__(self, sheet: str, file: str) -> None:
        self._sheet, self._file = sheet, file
        self.seen, self.lines = Seen(), list[list[Any]]()
        self.merged: list[tuple[Corner, Corner]] = []
        self._path: list[str] = []
        self._table = -1
        self._row: list[Any] = []
        self._times, self._attributes, self._text = 1, dict[str, str](), list[str]()
        self._paragraphs = self._blank = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if self._table < 0:
            if name == "table" and attributes.get("name") == self._sheet:
                self._table = len(self._path)
        elif name == "table-row":
            self._row, self._times = [], _count(attributes, "number-rows-repeated", ROWS)
        elif name in _CELLS:
            self._attributes, self._text, self._paragraphs = attributes, [], 0
        elif name == "p" and self._path[-2] in _CELLS:
            self._text += ["\n"] * (self._paragraphs > 0)
            self._paragraphs += 1
        elif self._is_own():
            blanks = {"s": " " * _count(attributes, "c", 1 << 20), "tab": "\t", "line-break": "\n"}
            self._text.append(blanks.get(name, ""))

    def text(self, text: str) -> None:
        if self._table >= 0 and self._is_own():
            self._text.append(text)

    def end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if self._table < 0:
            return
        if depth == self._table:
            self._table = -1
        elif name in _CELLS:
            self._cell()
        elif name == "table-row":
            self._line()

    def _is_own(self) -> bool:
        """Say whether text stands in a paragraph of the cell itself."""
        cell = next((n for n in range(len(self._path) - 1, -1, -1) if self._path[n] in _CELLS), None)
        inside = self._path[cell + 1 :] if cell is not None else []
        return inside[:1] == ["p"] and "annotation" not in inside and "note" not in inside

    def _cell(self) -> None:
        said, column = self._attributes, len(self._row)
        value = value_of(said, "".join(self._text))
        row = len(self.lines) + self._blank
        down = _count(said, "number-rows-spanned", ROWS)
        across = _count(said, "number-columns-spanned", COLUMNS)
        if down > 1 or across > 1:
            self.merged.append(((row, column), (row + down - 1, column + across - 1)))
        self._row += [value] * _count(said, "number-columns-repeated", COLUMNS)

    def _line(self) -> None:
        row = self._row
        while row and row[-1] == "" and not isinstance(row[-1], Fault):
            row.pop()
        # a sheet ends with a million blank rows: they count once something follows
        if not row:
            self._blank += self._times
            return
        first, self._blank = len(self.lines) + self._blank, 0
        self.seen.reach(first + self._times - 1, len(row) - 1)
        self.seen.guarded(self._file)
        self.lines += [[] for _ in range(first - len(self.lines))]
        faults = [(column, cell) for column, cell in enumerate(row) if isinstance(cell, Fault)]
        for nth in range(self._times):
            self.seen.faults.update({(first + nth, column): str(what) for column, what in faults})
        plain = ["" if isinstance(cell, Fault) else cell for cell in row]
        self.lines += [plain] * self._times


def value_of(said: dict[str, str], text: str) -> Any:
    """Return a cell's value, '' when it is empty, a Fault when it holds none."""
    kind, formula = said.get("value-type", ""), said.get("formula")
    if kind == "error" or (formula is not None and _ERROR.fullmatch(text)):
        return Fault(text or "an error")
    if kind in ("float", "currency", "percentage"):
        return float(said["value"]) if "value" in said else Fault("a number without value")
    if kind == "boolean":
        return said.get("boolean-value") == "true"
    if kind == "date":
        return _moment(said.get("date-value", ""))
    if kind == "time":
        return _duration(said.get("time-value", ""))
    if not kind and formula is not None and not text:
        return Fault(NOT_COMPUTED)
    return said.get("string-value", text)


def _moment(text: str) -> dt.date | dt.datetime | Fault:
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        day = dt.date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return day
        clock = dt.time(int(found[4]), int(found[5]), int(found[6]))
        # what LibreOffice writes beyond is the noise of its doubles
        moment = dt.datetime.combine(day, clock) + dt.timedelta(microseconds=round(float(found[7] or 0) * 1e6))
    except (ValueError, OverflowError):
        return Fault(f"the date {text}, which no table can hold")
    return day if moment == dt.datetime.combine(day, dt.time()) else moment


def _duration(text: str) -> dt.time | dt.timedelta | Fault:
    found = _TIME.fullmatch(text)
    if found is None or found[1]:
        return Fault(f"the time {text}")
    seconds = float((found[5] or "0").replace(",", "."))
    whole = dt.timedelta(days=int(found[2] or 0), hours=int(found[3] or 0), minutes=int(found[4] or 0))
    whole += dt.timedelta(microseconds=round(seconds * 1e6))
    return (dt.datetime.min + whole).time() if whole < dt.timedelta(days=1) else whole


def _count(attributes: dict[str, str], key: str, most: int) -> int:
    """Read how often something is repeated; what is beyond a sheet's edge is cut there."""
    text = attributes.get(key, "1")
    return min(int(text), most) if text.isdigit() else 1
