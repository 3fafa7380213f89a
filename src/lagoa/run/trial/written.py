"""Writes a test as a person would: one row on a line, and quotes only where YAML would read something else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lagoa.kit.types import is_nested

_WIDTH = 118
_PLAIN = re.compile(r"[^\W\d][\w./ @+-]*(?<! )|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,9})?")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


@dataclass(frozen=True)
class Table:
    """Rows by column, as text; `say` are the types that the test must declare."""

    name: str
    cells: Mapping[str, Sequence[str | None]]
    types: Mapping[str, pa.DataType]
    say: Mapping[str, str]


def written(name: str, head: Sequence[str], given: Iterable[Table], expect: Iterable[Table]) -> str:
    """Write one test; its rows are the tables', column by column."""
    lines = [f"{name}:", *head, "  given:"]
    lines += [line for table in given for line in _table(table)]
    lines.append("  expect:")
    lines += [line for table in expect for line in _table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    count = len(next(iter(table.cells.values()), ()))
    indent = "      "
    if table.say:
        yield f"    {table.name}:"
        yield f"{indent}columns: {{{', '.join(f'{_key(c)}: {_text(t)}' for c, t in table.say.items())}}}"
        yield f"{indent}rows:{'' if count else ' []'}"
        indent += "  "
    else:
        yield f"    {table.name}:{'' if count else ' []'}"
    for number in range(count):
        yield from _row({c: _cell(v[number], table.types[c]) for c, v in table.cells.items()}, indent)


def _row(cells: Mapping[str, str], indent: str) -> Iterator[str]:
    parts = [f"{_key(column)}: {cell}" for column, cell in cells.items()]
    line = f"{indent}- {{{', '.join(parts)}}}"
    if len(line) <= _WIDTH:
        yield line
        return
    for number, part in enumerate(parts):
        yield f"{indent}{'  ' if number else '- '}{part}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) and name.lower() not in _WORDS else _quoted(name)


def _cell(value: str | None, kind: pa.DataType) -> str:
    if value is None:
        return "null"
    t = pa.types
    if is_nested(kind):
        return json.dumps(json.loads(value), ensure_ascii=False)
    number = t.is_integer(kind) or t.is_decimal(kind) or t.is_floating(kind)
    if t.is_boolean(kind) or (number and _NUMBER.fullmatch(value)):
        return value
    return _text(value)


def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'" if value.isprintable() else json.dumps(value, ensure_ascii=True)
