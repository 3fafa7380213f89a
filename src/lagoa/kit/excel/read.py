"""Excel workbooks become portions: one a sheet, its cells typed, rows with errors in cells refused with the address."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lagoa.errors import SourceError
from lagoa.kit.bundle import Noted
from lagoa.kit.column_names import column_names
from lagoa.kit.containers.members import DAMAGED, unreadable
from lagoa.kit.excel.address import address
from lagoa.kit.excel.columns import array, common, text_sql, together
from lagoa.kit.excel.opened import Book, opened
from lagoa.kit.excel.rows import Layout, Sheet, header, rows
from lagoa.kit.landing import Found, is_pattern, matcher, printable
from lagoa.kit.pieces import Opened, unpack
from lagoa.kit.shape import Shape, cleaned
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import Portion, Settled

_BLOCK = 20_000
ROW, FAULT = "_n", "_fault"


@dataclass(frozen=True)
class Taken:
    """A sheet's records, written as a Parquet file of ours."""

    found: Found
    sheet: str
    path: Path
    rows: int
    kinds: Mapping[str, Any]
    faulty: bool


@dataclass
class Excel:
    """The Excel format: .xlsx, .xlsm, .xls, and .ods. A sheet is held in memory while it is read."""

    layout: Layout
    folder: Path
    noted: Noted
    open: Callable[[Path], Book]
    _taken: list[Taken] = field(default_factory=list)
    _made: int = 0

    def schema(self, files: Sequence[Found]) -> dict[str, Any]:
        """Read all sheets that are meant and return their columns. Raises SourceError."""
        schema: dict[str, Any] = {}
        for found in files:
            for taken in self._sheets(found):
                self._taken.append(taken)
                for name, kind in taken.kinds.items():
                    schema[name] = common(schema[name], kind) if name in schema else kind
        return schema

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield one portion a sheet; `schema` was asked before."""
        wanted = {found.name for found in files}
        for taken in self._taken:
            if taken.found.name in wanted:
                yield self._portion(taken, shape)

    # ------------------------------------------------------------ sheets
    def _sheets(self, found: Found) -> Iterator[Taken]:
        name = printable(found.name)
        path, memory = found.path, memoryview(bytearray(1 << 20))
        if found.pack is not None:
            path = self._new("workbook")
            unpack(found, path)
        with Opened(found) as opened:
            while opened.fill(memory):
                pass
            try:
                yield from self._read(found, path)
            except DAMAGED as error:
                raise unreadable(name, error) from error
            self.noted.done(opened)
        if path != found.path:
            path.unlink()

    def _read(self, found: Found, path: Path) -> Iterator[Taken]:
        workbook, book = opened(path, printable(found.name), self.open)
        parts = workbook.sheets()
        for name in self._meant(book.names(), found):
            seen = workbook.look(parts.get(name, ""))
            yield self._take(found, name, book.sheet(name), seen.faults)

    def _meant(self, sheets: list[tuple[str, bool]], found: Found) -> list[str]:
        """Return the names of the sheets that are meant: the first visible one when nothing is said."""
        asked, visible = self.layout.sheet, [name for name, shows in sheets if shows]
        if asked is None:
            meant = visible[:1]
        elif isinstance(asked, int):
            meant = [name for name, _ in sheets[asked - 1 : asked]]
        elif is_pattern(asked):
            meant = [name for name in visible if matcher(asked).fullmatch(name)]
        else:
            meant = [name for name, _ in sheets if name == asked]
        if not meant:
            raise SourceError(
                "LG-203",
                f"{printable(found.name)} has no sheet {asked or ''}".rstrip(),
                hint=f"it has {', '.join(printable(n) for n, _ in sheets)}; a pattern does not mean hidden ones",
            )
        return meant

    def _take(self, found: Found, name: str, sheet: Sheet, faults: Mapping[tuple[int, int], str]) -> Taken:
        """Write a sheet's records into a Parquet file."""
        left = max(self.layout.area.left, sheet.start[1] if sheet.start else 0)
        records = rows(sheet, self.layout, left, {row for row, _ in faults})
        spelled = header(records, self.layout.header)
        numbers: list[int] = []
        parts: list[list[pa.Array]] = []
        with _undisturbed():
            while block := list(islice(records, _BLOCK)):
                numbers += [number for number, _ in block]
                new = [array(cells) for cells in zip(*(cells for _, cells in block), strict=True)]
                parts = [[*held, more] for held, more in zip(parts or [[] for _ in new], new, strict=True)]
        if not self.layout.header:
            spelled = [f"column_{n}" for n in range(1, len(parts) + 1)]
        kept = [n for n, text in enumerate(spelled) if text or (parts and _holds(parts[n]))]
        names = self._names([spelled[n] for n in kept], f"{printable(found.name)}!{printable(name)}")
        columns: dict[str, Any] = {
            name: together(parts[n] if parts else []) for name, n in zip(names, kept, strict=True)
        }
        kinds = {name: column.type for name, column in columns.items()}
        reasons = self._reasons(faults, {left + n: name for name, n in zip(names, kept, strict=True)})
        columns[ROW] = pa.array([number + 1 for number in numbers], pa.int64())
        columns[FAULT] = pa.array([reasons.get(number) for number in numbers], pa.string())
        path = self._new("sheet")
        pq.write_table(pa.table(columns), path, compression="lz4", use_dictionary=False, write_statistics=False)
        return Taken(found, name, path, len(numbers), kinds, bool(reasons))

    def _names(self, spelled: list[str], where: str) -> list[str]:
        given = self.layout.names
        if given and spelled and len(given) != len(spelled):
            raise SourceError(
                "LG-206",
                f"{where} has {len(spelled)} columns, `names:` has {len(given)}",
                hint="give one name for each column",
            )
        return column_names(given or spelled if spelled else (), where, self.layout.rename)

    def _reasons(self, faults: Mapping[tuple[int, int], str], names: Mapping[int, str]) -> dict[int, str]:
        """Say of each row whose cells hold errors which ones, by the row's number from 0."""
        found: dict[int, list[str]] = {}
        for (row, column), what in sorted(faults.items()):
            name = names.get(column)
            if name is not None and name not in self.layout.dropped:
                found.setdefault(row, []).append(f"{name}: cell {address(row, column)} holds {what}")
        return {row: "; ".join(texts) for row, texts in found.items()}

    # ------------------------------------------------------------ portions
    def _portion(self, taken: Taken, shape: Shape) -> Portion:
        name = printable(taken.found.name)
        texts = {level: literal(value) for level, value in taken.found.levels if level in shape.levels}
        values: dict[str, str] = {}
        for column, kind in taken.kinds.items():
            if column not in shape.schema.names:
                continue
            wanted = shape.schema.field(column).type
            text = text_sql(quote(column), kind)
            if column in shape.spellings or (kind == pa.string() and wanted == kind):
                texts[column] = cleaned(text, self.layout.trim, self.layout.null_values)
            else:
                values[column] = text if wanted == pa.string() else f"{quote(column)}::{sql_type(wanted)}"
        shown = [quote(column) for column in taken.kinds if column not in shape.dropped]
        read = Settled((), taken.rows)
        return Portion(
            rows=shape.select(
                f"read_parquet({literal(str(taken.path))})",
                texts,
                f"{literal(f'{name}!{printable(taken.sheet)}:')} || {ROW}",
                f"to_json(struct_pack({', '.join(shown)}))::varchar" if shown else "''",
                values,
                fault=FAULT if taken.faulty else None,
            ),
            settle=lambda *_: read,
            label=f"{name}!{printable(taken.sheet)}",
            size=taken.path.stat().st_size,
            close=lambda: taken.path.unlink(missing_ok=True),
        )

    def _new(self, kind: str) -> Path:
        self._made += 1
        return self.folder / f"{kind}-{self._made}"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the collector from looking through millions of cells, which refer to nothing: a tenth of the time."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def _holds(parts: Sequence[pa.Array]) -> bool:
    return any(part.null_count < len(part) for part in parts)
