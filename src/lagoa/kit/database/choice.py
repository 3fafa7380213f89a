"""Decides which columns of a database's table land and what they are called, and refuses what would be misread."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.column_names import OWN
from lagoa.kit.database.column import Column, Known
from lagoa.spec.stream import Stream

F = TypeVar("F", bound=Known)
C = TypeVar("C", bound=Column)
_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")  # in the names of a Delta table's columns
_RENAME = "read it with `query:` and give it another name"


def landing_name(name: str) -> str:
    """Keep a name as it is, but for the characters that Delta does not allow."""
    return _FORBIDDEN.sub("_", name)


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


def chosen(found: Sequence[F], stream: Stream, what: str, read_as: Callable[[F, str, str | None], C]) -> list[C]:
    """Decide the columns that are read: dropped ones are never asked for. Raises SourceError LG-203, LG-206.

    `read_as` says how one is read, from its name in the table and the type that the user gave it.
    """
    names = [landing_name(f.name) for f in found]
    refuse_twins(names, what)
    for name in names:
        if name.casefold() in OWN:
            clash = f"{what} has a column `{name}`, a name that Lagoa itself uses"
            raise SourceError("LG-206", clash, hint=_RENAME)
    _refuse_unknown(stream, names, what)
    columns = []
    for f, name in zip(found, names, strict=True):
        said = stream.columns.get(name)
        if said is None or not said.drop:
            columns.append(read_as(f, name, said.type if said else None))
    return columns


def _refuse_unknown(stream: Stream, names: Sequence[str], what: str) -> None:
    """A misspelt `drop:` or `pii:` must not let the column in."""
    for name, said in stream.columns.items():
        if (said.drop or said.pii) and name not in names:
            word = "dropped" if said.drop else "treated as personal"
            raise SourceError(
                "LG-203", f"{what} has no column `{name}`, which is to be {word}", hint=_meant(name, names)
            )


def named(columns: Sequence[C], name: str, what: str, role: str) -> C:
    """Find the column that a user names as key or cursor. Raises SourceError LG-203."""
    for found in columns:
        if name == found.name:
            return found
    said = f"{what} has no column `{name}`, which is its {role}"
    raise SourceError("LG-203", said, hint=_meant(name, [c.name for c in columns]))


def _meant(name: str, known: Sequence[str]) -> str:
    return did_you_mean(name, known) or f"its columns are {', '.join(known)}"
