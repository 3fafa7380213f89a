"""Finds the tables of a workbook: which of its sheets hold one, and where each has its header."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from lagoa.kit.column_names import OWN, column_name
from lagoa.kit.delimited.guess import is_typed, values_are_typed
from lagoa.kit.excel.opened import Book, opened
from lagoa.kit.landing import printable
from lagoa.kit.text import quote
from lagoa.ports import SOURCE, Session
from lagoa.propose.files.families import Family
from lagoa.propose.files.names import column_plain_names
from lagoa.propose.files.sample import SEEN, take

_LOOKED = 40
"""How many rows of a sheet tell where its header is."""
_READ = 2000
"""How many rows of a sheet tell which columns it has."""
_ORIGIN = re.compile(r"(.*)!(.*):(\d+)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d\d-\d\d( .*)?")
_TITLE = "above stand rows that do not name every column"

Row = tuple[int, list[str]]
"""Number, from 1, and cells as text, '' where there is nothing."""


@dataclass(frozen=True)
class _Header:
    """What reads a sheet, and the names that its columns have then."""

    said: Mapping[str, Any]
    names: tuple[str, ...]
    why: Mapping[str, str] = field(default_factory=dict)


def sheets_of(session: Session, base: Path, family: Family, left_out: list[tuple[str, str]]) -> list[Family]:
    """Part a family of workbooks by their sheets; sheets with the same columns stay together.

    Raises SourceError when they cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="lagoa-", ignore_cleanup_errors=True) as folder:
        every = _sheets(session, base, family, Path(folder))
    headers = {name: _header(next(iter(books.values()))) for name, books in every.items()}
    books = {book for held in every.values() for book in held}
    if sum(map(len, every.values())) == len(books):
        return [_with(family, header, _named(family, list(every))) for header in list(headers.values())[:1]] or [family]
    plain = [(h.names, *h.said.items()) for h in headers.values() if "names" not in h.said]
    if len(plain) == len(headers) and len(set(plain)) == 1:
        return [_with(family, next(iter(headers.values())), {"sheet": "*"})]
    if any(len(held) < len(books) for held in every.values()):
        first, *others = every
        left_out += [(f"{family.path}!{name}", "not all of these workbooks have this sheet") for name in others]
        return [_with(family, headers[first], {})]
    parts = [(name, _with(family, header, {"sheet": name})) for name, header in headers.items()]
    return [replace(part, stem=f"{family.stem} {name}") for name, part in parts]


def _named(family: Family, sheets: Sequence[str]) -> dict[str, Any]:
    """Name the only sheet that holds rows, where another one comes first, hidden or empty."""
    found = family.first.found
    if len(sheets) > 1 or found.pack is not None:
        return {}
    looked, _ = opened(found.path, printable(found.name), lambda _: cast("Book", None))
    return {} if next(iter(looked.sheets()), None) == sheets[0] else {"sheet": sheets[0]}


def _with(family: Family, header: _Header, said: Mapping[str, Any]) -> Family:
    return replace(family, said={**said, **header.said}, reasons=dict(header.why))


def _sheets(session: Session, base: Path, family: Family, folder: Path) -> dict[str, dict[str, list[Row]]]:
    """Return the first rows of the visible sheets that hold any, by sheet and workbook."""
    take(session, base, family, {"sheet": "*", "range": f"A1:XFD{_READ}", "header": False}, folder)
    names = [name for name, *_ in session.rows(f"describe {SEEN}") if name != SOURCE and name not in family.levels]
    cells = ", ".join(f"coalesce({quote(name)}::varchar, '')" for name in names)
    number = f"regexp_extract({quote(SOURCE)}, ':(\\d+)$', 1)::int"
    per_sheet = f"row_number() over (partition by regexp_replace({quote(SOURCE)}, ':\\d+$', '') order by {number})"
    rows = session.rows(
        f"select {quote(SOURCE)}, {cells} from {SEEN} qualify {per_sheet} <= {_LOOKED} order by rowid"
        if names
        else f"select {quote(SOURCE)} from {SEEN} limit 0"
    )
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for origin, *row in rows:
        if hit := _ORIGIN.fullmatch(origin):
            found[hit[2]][hit[1]].append((int(hit[3]), [str(cell).strip() for cell in row]))
    return found


def _header(rows: Sequence[Row]) -> _Header:
    """Find the header: the first row of which more than half of the columns are filled, alone or with the next."""
    usual = max(sum(map(bool, cells)) for _, cells in rows)
    top = next(n for n, (_, cells) in enumerate(rows) if sum(map(bool, cells)) * 2 > usual)
    kept = [n for n in range(len(rows[0][1])) if any(cells[n] for _, cells in rows[top:])]
    number, upper = rows[top][0], [rows[top][1][n] for n in kept]
    below = [[cells[n] for n in kept] for _, cells in rows[top + 1 :]]
    skip: dict[str, Any] = {"skip": number - 1} if number > 1 and top else {}
    if not _names(upper, below):
        names = [f"column_{n}" for n in range(1, len(kept) + 1)]
        why = {"header": "the first row looks like the others", "names": "the sheet names no columns"}
        return _Header({**skip, "header": False, "names": names}, tuple(names), why)
    told = dict.fromkeys(list(skip), _TITLE)
    if _apart(upper):
        return _Header(skip, tuple(upper), told)
    joined = _joined(upper, below[0]) if below and rows[top + 1][0] == number + 1 else []
    typed = any(values_are_typed(column) for column in zip(*below[1:], strict=True))
    if "" in upper and _apart(joined) and typed and _names(below[0], below[1:]):
        return _Header({**skip, "header": 2}, tuple(joined), {**told, "header": "two rows name the columns"})
    named, told["names"] = column_plain_names(upper), "two columns have one name, or one has none"
    return _Header({**skip, "names": named}, tuple(named), told)


def _apart(names: Sequence[str]) -> bool:
    """Say whether names land as names of their own."""
    landing = [column_name(name) for name in names]
    return all(landing) and len(set(landing)) == len(landing) and not OWN & set(landing)


def _names(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Say whether a row names columns: it holds no numbers but years, and days only above what is none."""
    columns = list(zip(*below, strict=True)) if below else [()] * len(cells)
    for cell, column in zip(cells, columns, strict=True):
        days = [value for value in column if value]
        if _DAY.fullmatch(cell):
            if not days or all(_DAY.fullmatch(value) for value in days):
                return False
        elif is_typed(cell):
            return False
    return True


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    names, before = [], ""
    for above, under in zip(upper, lower, strict=True):
        before = above or before
        names.append(f"{before} {under}".strip())
    return names
