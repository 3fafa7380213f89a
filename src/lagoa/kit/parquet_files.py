"""Parquet files become portions: types as the files declare them, rows by their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.kit.bundle import Noted
from lagoa.kit.column_names import column_names
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import Opened, unpack
from lagoa.kit.shape import Shape
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import Portion, Settled

Describe = Callable[[str], dict[str, tuple[str, Any]]]
"""Gives a query's columns: DuckDB's type as text, and the Arrow type in which Delta holds it."""
_DIGITS = 38
"""What a decimal may have at most; DuckDB reads wider ones as doubles."""
_ELEMENTS = "select name, num_children, precision from parquet_schema({})"
_INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]


@dataclass
class ParquetFiles:
    """The Parquet format. Files are read where they are, by links with harmless names in `folder`."""

    folder: Path
    noted: Noted
    ask: Callable[[str], list[tuple[Any, ...]]]
    describe: Describe
    rename: Mapping[str, str] = field(default_factory=dict)
    _columns: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    _wide: dict[str, dict[str, int]] = field(default_factory=dict)
    _links: int = 0

    def schema(self, files: Sequence[Found]) -> dict[str, Any]:
        """Return the columns of all files. Raises SourceError LG-204 when two files' types have no common one."""
        schema: dict[str, Any] = {}
        for found in files:
            path = self._link(found)
            try:
                spelled = self.describe(f"select * from {_reads(path)}")
                self._wide[found.name] = _widest(self.ask(_ELEMENTS.format(literal(str(path)))))
            except Exception as error:
                raise _damaged(found) from error
            finally:
                path.unlink()
            names = column_names(list(spelled), printable(found.name), self.rename)
            self._columns[found.name] = {
                name: (old, kind) for name, (old, (kind, _)) in zip(names, spelled.items(), strict=True)
            }
            for name, (_, kind) in zip(names, spelled.values(), strict=True):
                schema[name] = _both(schema[name], kind, name, found) if name in schema else kind
        return schema

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield one portion a file; `schema` was asked before."""
        for found in files:
            yield self._portion(found, shape)

    def _portion(self, found: Found, shape: Shape) -> Portion:
        self._exact(found, shape)
        looked, memory = _look(found.path), memoryview(bytearray(1 << 20))
        with Opened(found) as opened:
            while opened.fill(memory):
                pass
            self.noted.done(opened)
        path = self._link(found)
        name = printable(found.name)
        count = self.ask(f"select num_rows from parquet_file_metadata({literal(str(path))})")[0][0]
        read = Settled((), count)

        def settle(*_: object) -> Settled:
            if _look(found.path) != looked:
                raise SourceError("LG-209", f"{name} changed while it was read", hint="run again", retry=True)
            return read

        texts = {level: literal(value) for level, value in found.levels}
        values = {}
        for column, (old, kind) in self._columns[found.name].items():
            if column in shape.spellings:
                texts[column] = f"{quote(old)}::varchar"
            elif column in shape.schema.names:
                values[column] = self._value(old, kind, shape.schema.field(column).type, name)
        kept = [quote(old) for column, (old, _) in self._columns[found.name].items() if column not in shape.dropped]
        return Portion(
            rows=shape.select(
                _reads(path, ", file_row_number = true"),
                texts,
                f"{literal(name + ':')} || (file_row_number + 1)",
                f"to_json(struct_pack({', '.join(kept)}))::varchar" if kept else "null",
                values,
            ),
            settle=settle,
            label=name,
            size=found.size,
            close=lambda: path.unlink(missing_ok=True),
        )

    def _exact(self, found: Found, shape: Shape) -> None:
        """Refuse columns that the engine would round in silence. Raises SourceError LG-204."""
        for column, (old, _) in self._columns[found.name].items():
            digits = self._wide[found.name].get(old, 0)
            if digits > _DIGITS and column not in shape.dropped:
                words = f"column {column} holds decimals of {digits} digits, of which {_DIGITS} can be kept exactly"
                hint = f"deliver it as text, or leave it out: {column}: {{drop: true}}"
                raise SourceError("LG-204", f"{printable(found.name)}: {words}", hint=hint)

    def _value(self, old: str, kind: str, wanted: Any, file: str) -> str:
        value = f"{quote(old)}::{sql_type(wanted)}"
        if "_NS" not in kind:
            return value
        # Delta counts microseconds: cutting the rest off in silence would be a wrong cell
        said = literal(f"{file}: column {old} holds nanoseconds; declare it as text to keep them")
        return f"case when {value}::{kind} is not distinct from {quote(old)} then {value} else error({said}) end"

    def _link(self, found: Found) -> Path:
        self._links += 1
        path = self.folder / f"parquet-{self._links}"
        if found.pack is None:
            path.symlink_to(found.path)
        else:
            unpack(found, path)
        return path


def _reads(path: Path, options: str = "") -> str:
    return f"read_parquet({literal(str(path))}{options})"


def _widest(elements: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """Give the digits of the widest decimal in each column, as a footer's tree lists its elements: depth first."""
    found: dict[str, int] = {}
    root, open_ = "", list[int]()
    for name, children, digits in elements[1:]:
        while open_ and not open_[-1]:
            open_.pop()
        if open_:
            open_[-1] -= 1
        else:
            root = str(name)
        if children:
            open_.append(int(children))
        found[root] = max(found.get(root, 0), int(digits or 0))
    return found


def _look(path: Path) -> tuple[int, int, int]:
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def _both(one: Any, two: Any, column: str, found: Found) -> Any:
    if one == two:
        return one
    if one in _INTEGERS and two in _INTEGERS:
        return max(one, two, key=_INTEGERS.index)
    if pa.types.is_floating(one) and pa.types.is_floating(two):
        return pa.float64()
    if pa.types.is_decimal(one) and pa.types.is_decimal(two):
        scale = max(one.scale, two.scale)
        whole = max(one.precision - one.scale, two.precision - two.scale)
        if scale + whole <= 38:
            return pa.decimal128(scale + whole, scale)
    raise SourceError(
        "LG-204",
        f"{printable(found.name)}: column {column} is {sql_type(two).lower()}, in other files {sql_type(one).lower()}",
        hint="declare the column's type under `columns:`, or read the files as two streams",
    )


def _damaged(found: Found) -> SourceError:
    return SourceError("LG-202", f"{printable(found.name)} is no readable Parquet file", hint="deliver it again")
