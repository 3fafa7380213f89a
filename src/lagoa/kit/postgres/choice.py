"""Decides which columns of a PostgreSQL table land and what they are called, and refuses what would be misread."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from lagoa.errors import SourceError
from lagoa.kit.postgres.columns import Found, PgColumn, read_as
from lagoa.ports import RAW, REASON, SOURCE
from lagoa.spec.stream import Stream

_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")  # in the names of a Delta table's columns
_OWN = ("_run", "_loaded_at", SOURCE, REASON, RAW)
_RENAME = "read it with `query:` and give it another name"


def refuse_twins(names: Sequence[str], what: str) -> None:
    """Refuse columns that differ only in case, or not at all. Raises SourceError LG-206."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.casefold())
        if other is not None:
            said = f"columns `{other}` and `{name}`, alike but for case"
            said = said if other != name else f"two columns called `{name}`"
            raise SourceError("LG-206", f"{what} has {said}", hint=_RENAME)
        seen[name.casefold()] = name


def chosen(found: Sequence[Found], stream: Stream, what: str, money: int) -> list[PgColumn]:
    """Decide the columns that are read: dropped ones are never asked for. Raises SourceError LG-203, LG-206."""
    names = {f.name: _FORBIDDEN.sub("_", f.name) for f in found}
    refuse_twins(list(names.values()), what)
    for name in names.values():
        if name.casefold() in _OWN:
            raise SourceError("LG-206", f"{what} has a column `{name}`, a name that Lagoa itself uses", hint=_RENAME)
    _refuse_unknown(stream, names, what)
    declared = {name: stream.columns.get(name) or stream.columns.get(lands) for name, lands in names.items()}
    columns = []
    for f in found:
        said = declared[f.name]
        if said is None or not said.drop:
            columns.append(read_as(f, names[f.name], said.type if said else None, money))
    return columns


def _refuse_unknown(stream: Stream, names: Mapping[str, str], what: str) -> None:
    """A misspelt `drop:` must not let the column in."""
    known = {*names, *names.values()}
    for name in stream.dropped - known:
        close = difflib.get_close_matches(name, known, n=1)
        raise SourceError(
            "LG-203",
            f"{what} has no column `{name}`, which is to be dropped",
            hint=f"did you mean `{close[0]}`?" if close else f"its columns are {', '.join(sorted(names))}",
        )


def named(columns: Sequence[PgColumn], name: str, what: str, role: str) -> PgColumn:
    """Find the column that a user names as key or cursor. Raises SourceError LG-203."""
    for found in columns:
        if name in (found.name, found.found.name):
            return found
    close = difflib.get_close_matches(name, [c.name for c in columns], n=1)
    raise SourceError(
        "LG-203",
        f"{what} has no column `{name}`, which is its {role}",
        hint=f"did you mean `{close[0]}`?" if close else f"it has {', '.join(c.name for c in columns)}",
    )
