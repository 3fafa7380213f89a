"""Opens a workbook by what it is, whatever it is called: the one that is looked through, and the one that is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lagoa.kit.excel.biff import Biff
from lagoa.kit.excel.compound import MAGIC
from lagoa.kit.excel.ods import CONTENT, Ods
from lagoa.kit.excel.package import Package
from lagoa.kit.excel.rows import Sheet
from lagoa.kit.excel.scan import Seen, Workbook

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


class Book(Protocol):
    """A workbook as the driver gives it."""

    def names(self) -> list[tuple[str, bool]]:
        """Return the names of the sheets that hold cells, and whether each is visible."""

    def sheet(self, name: str) -> Sheet:
        """Return a sheet."""


class Looked(Protocol):
    """A workbook that is looked through before its sheets are read."""

    def sheets(self) -> dict[str, str]:
        """Return the part that holds each sheet, by the sheet's name."""

    def look(self, part: str) -> Seen:
        """Look through a sheet. Raises SourceError LG-210 when it is too wide to be held in memory."""


def opened(path: Path, name: str, open: Callable[[Path], Book]) -> tuple[Looked, Book]:
    """Open a workbook; `open` is the driver's way. Raises OSError for what is none, SourceError LG-210 for a bomb."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start == MAGIC:
        old = Biff(path, name)
        return old, old
    parts = Package(path, name).parts
    if "xl/workbook.bin" in parts:
        raise OSError("it is an .xlsb workbook, in which errors in cells could not be seen; save it as .xlsx")
    if CONTENT in parts:
        found = Ods(path, name)
        return found, found
    return Workbook(path, name), open(path)
