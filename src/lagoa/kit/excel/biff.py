"""Workbooks of Excel 97 to 2003 (.xls): their sheets, cells as they are stored, errors and all, as [MS-XLS] says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import error, unpack, unpack_from
from typing import Any

from lagoa.kit.containers.guard import unsafe
from lagoa.kit.excel.compound import Compound
from lagoa.kit.excel.rows import Fault, Sheet, Table
from lagoa.kit.excel.scan import Seen
from lagoa.kit.excel.serial import Kind, kind_of, value_of
from lagoa.kit.excel.strings import Texts

LARGEST = 512 << 20
"""Bytes of the largest .xls: it is held in memory."""
_BOF, _EOF, _CONTINUE, _LOCKED, _SHEET, _BIFF8 = 0x0809, 0x000A, 0x003C, 0x002F, 0x0085, 0x0600
_SHARED, _FORMAT, _STYLE, _CALENDAR = 0x00FC, 0x041E, 0x00E0, 0x0022
_NUMBER, _RK, _SEVERAL, _SHARED_TEXT, _TEXT, _RICH_TEXT = 0x0203, 0x027E, 0x00BD, 0x00FD, 0x0204, 0x00D6
_FORMULA, _ITS_TEXT, _BOOL_OR_ERROR, _MERGED = 0x0006, 0x0207, 0x0205, 0x00E5
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_ENCRYPTED, _DAMAGED = "it is encrypted", "it is damaged or cut off"

Record = tuple[int, bytes]


@dataclass
class Biff:
    """A workbook. Raises OSError for what is none, SourceError LG-210 for what would fill memory."""

    path: Path
    name: str
    _data: bytes = b""
    _sheets: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    _kinds: list[Kind] = field(default_factory=list)
    _from_1904: bool = False
    _held: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path.stat().st_size > LARGEST:
            raise unsafe(f"{self.name} has more than {LARGEST >> 20} MB", "save it as .xlsx")
        file = Compound(self.path.read_bytes())
        if "EncryptedPackage" in file.streams:
            raise OSError(_ENCRYPTED)
        if "Workbook" not in file.streams:
            raise OSError("it is no Excel workbook, or one of Excel 95: save it as .xlsx")
        self._data = file.stream("Workbook")
        try:
            self._globals()
        except (error, IndexError) as damage:
            raise OSError(_DAMAGED) from damage

    def names(self) -> list[tuple[str, bool]]:
        """Return the names of the sheets that hold cells, and whether each is visible."""
        return [(name, shows) for name, (_, shows) in self._sheets.items()]

    def sheets(self) -> dict[str, str]:
        """Return which sheet has which name."""
        return {name: name for name in self._sheets}

    def look(self, part: str) -> Seen:
        """Read a sheet. Raises SourceError LG-210 when it is too wide to be held in memory."""
        cells = _Cells(self._texts, self._kinds, self._from_1904, self.name)
        try:
            for kind, raw in self._records(self._sheets[part][0]):
                cells.take(kind, raw)
            cells.end()
        except (error, IndexError) as damage:
            raise OSError(_DAMAGED) from damage
        lines = [cells.lines.get(row, []) for row in range(cells.seen.rows)]
        self._held = {part: Table(cells.merged, lines, cells.seen.columns)}
        return cells.seen

    def sheet(self, name: str) -> Sheet:
        """Return the sheet that was looked at last."""
        return self._held.pop(name)

    def _globals(self) -> None:
        """Read what all sheets share: their names, texts and formats."""
        formats: dict[int, str] = {}
        styles: list[int] = []
        shared: list[bytes] = []
        before = 0
        for kind, raw in self._records(0):
            if kind == _LOCKED:
                raise OSError(_ENCRYPTED)
            if kind == _BOF and unpack_from("<H", raw)[0] != _BIFF8:
                raise OSError("it is a workbook of Excel 95: save it as .xlsx")
            if kind == _SHEET:
                self._note_sheet(raw)
            elif kind == _CALENDAR:
                self._from_1904 = unpack_from("<H", raw)[0] == 1
            elif kind == _FORMAT:
                formats[unpack_from("<H", raw)[0]] = Texts([raw[2:]]).string()
            elif kind == _STYLE:
                styles.append(unpack_from("<H", raw, 2)[0])
            elif kind == _SHARED or (kind == _CONTINUE and before == _SHARED):
                shared.append(raw)
            before = before if kind == _CONTINUE else kind
        self._kinds = [kind_of(number, formats) for number in styles]
        self._texts = Texts(shared).shared() if shared else []

    def _note_sheet(self, raw: bytes) -> None:
        place, state, kind, count, wide = unpack_from("<IBBBB", raw)
        if kind == 0:
            text = raw[8 : 8 + count * (1 + (wide & 1))].decode("utf-16-le" if wide & 1 else "latin-1", "replace")
            self._sheets[text] = place, not state & 3

    def _records(self, place: int) -> Iterator[Record]:
        """Yield kind and payload of the records of one substream; those inside another (charts) are left out."""
        data, depth = self._data, 0
        while True:
            kind, length = unpack_from("<HH", data, place)
            place += 4
            depth += (kind == _BOF) - (kind == _EOF)
            if depth == 1:
                yield kind, data[place : place + length]
            if kind == _EOF and depth <= 0:
                return
            place += length


class _Cells:
    """Gathers the cells of a sheet, record by record."""

    def __init__(self, texts: list[str], kinds: list[Kind], from_1904: bool, file: str) -> None:
        self._shared, self._kinds, self._from_1904, self._file = texts, kinds, from_1904, file
        self.seen, self.lines = Seen(), dict[int, list[Any]]()
        self.merged: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._awaits: tuple[int, int] | None = None
        self._text: list[bytes] = []

    def take(self, kind: int, raw: bytes) -> None:
        """Take a record, whatever it is."""
        if self._text:
            if kind == _CONTINUE:
                self._text.append(raw)
                return
            self.end()
        if kind == _ITS_TEXT and self._awaits is not None:
            self._text = [raw]
        elif kind == _SEVERAL:
            row, first = unpack_from("<HH", raw)
            for nth in range((len(raw) - 6) // 6):
                style, number = unpack_from("<HI", raw, 4 + 6 * nth)
                self._put(row, first + nth, self._number(style, _packed(number)))
        elif kind == _MERGED:
            count = unpack_from("<H", raw)[0]
            for nth in range(min(count, (len(raw) - 2) // 8)):
                top, bottom, left, right = unpack_from("<4H", raw, 2 + 8 * nth)
                self.merged.append(((top, left), (bottom, right)))
        elif kind in (_NUMBER, _RK, _SHARED_TEXT, _TEXT, _RICH_TEXT, _FORMULA, _BOOL_OR_ERROR):
            row, column, style = unpack_from("<3H", raw)
            self._put(row, column, self._value(kind, raw, style, (row, column)))

    def _value(self, kind: int, raw: bytes, style: int, place: tuple[int, int]) -> Any:
        if kind == _NUMBER:
            return self._number(style, unpack_from("<d", raw, 6)[0])
        if kind == _RK:
            return self._number(style, _packed(unpack_from("<I", raw, 6)[0]))
        if kind == _SHARED_TEXT:
            return self._shared[unpack_from("<I", raw, 6)[0]]
        if kind == _FORMULA:
            return self._computed(raw, style, place)
        if kind == _BOOL_OR_ERROR:
            return _error(raw[6]) if raw[7] else raw[6] != 0
        return Texts([raw[6:]]).string()

    def _computed(self, raw: bytes, style: int, place: tuple[int, int]) -> Any:
        if raw[12:14] != b"\xff\xff":
            return self._number(style, unpack_from("<d", raw, 6)[0])
        what, value = raw[6], raw[8]
        if what == 0:
            self._awaits = place
        return {1: value != 0, 2: _error(value)}.get(what, "")

    def _number(self, style: int, value: float) -> Any:
        return value_of(value, self._kinds[style] if style < len(self._kinds) else "number", self._from_1904)

    def end(self) -> None:
        """Take note that a formula's text is complete."""
        if self._awaits is not None and self._text:
            self._put(*self._awaits, Texts(self._text).string())
        self._awaits, self._text = None, []

    def _put(self, row: int, column: int, value: Any) -> None:
        self.seen.reach(row, column)
        self.seen.guarded(self._file)
        if isinstance(value, Fault):
            self.seen.faults[row, column] = str(value)
            value = ""
        line = self.lines.setdefault(row, [])
        line.extend([""] * (column + 1 - len(line)))
        line[column] = value


def _packed(number: int) -> float:
    """Read a number of 30 bits: a whole one or the upper half of a double, maybe in hundredths."""
    if number & 2:
        value = float(unpack("<i", number.to_bytes(4, "little"))[0] >> 2)
    else:
        value = float(unpack("<d", b"\0\0\0\0" + (number & ~3).to_bytes(4, "little"))[0])
    return value / 100 if number & 1 else value


def _error(code: int) -> Fault:
    return Fault(_ERRORS.get(code, f"error {code}"))
