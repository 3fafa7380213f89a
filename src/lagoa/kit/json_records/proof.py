"""Ways to prove, by its text, that a line holds what DuckDB reads from it: no other key, none twice, no other digit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lagoa.kit.json_records.structure import Structure

_ALL, _FILLED = "to_json({value})::varchar", "json_strip_nulls(to_json({value}))::varchar"
_MARKS = re.compile(r'[\s",:\\]')


@dataclass(frozen=True)
class Proof:
    """A value that was read from a line and is `written` again, in one way or another, gives the line as it is `read`.

    All are SQL.

    `exact`: its digits are compared, too; otherwise they may have been rounded on both sides.
    """

    written: tuple[str, ...]
    read: str
    exact: bool = True

    def holds(self, value: str) -> str:
        """Return SQL that is true for a line that is proven to hold a value that was read from it, false otherwise."""
        # with `case`, for DuckDB computes both sides of an `and` and an `or`, and to read no JSON is an error
        tests = [f"when {one.format(value=value)} = {self.read} then true" for one in self.written]
        return f"case when {value} is null or not starts_with(line, '{{') then false {' '.join(tests)} else false end"

    def exactly(self) -> str:
        """Return SQL that is true for a line so proven when all its numbers are surely the ones that are read."""
        # DuckDB writes what is no number, too
        return "not contains(line, 'NaN') and not contains(line, 'Infinity')" if self.exact else "false"


def _close(text: str) -> str:
    """Return SQL for a JSON text without the blanks that most programs write between keys and values.

    In a text they go away on both sides, and a key that has no marks is not changed by it.
    """
    return f"""replace(replace({text}, '": ', '":'), ', "', ',"')"""


_LOOSE = (_close(_ALL), _close(_FILLED))
_EVERYWHERE = (Proof((_ALL,), "line"), Proof((_ALL, _FILLED), "line"))
_PLAIN = (Proof(_LOOSE[:1], _close("line")), Proof(_LOOSE, _close("line")))
_ROUNDED = (Proof((_ALL, _FILLED), "json(line)::varchar", exact=False),)


def proofs(known: Structure) -> tuple[Proof, ...]:
    """Return the proofs that are sound for a structure, the cheapest first."""
    plain = not any(_MARKS.search(key) for key in _keys(known))
    return (*_EVERYWHERE, *(_PLAIN if plain else ()), *_ROUNDED)


def _keys(known: Structure) -> Iterator[str]:
    if isinstance(known, dict):
        yield from known
    for inside in known.values() if isinstance(known, dict) else known if isinstance(known, list) else ():
        yield from _keys(inside)
