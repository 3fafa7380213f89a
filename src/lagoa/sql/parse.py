"""What a query says; the parser itself is loaded only when a text is met for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from typing import Any

from lagoa.errors import Place
from lagoa.spec.names import TableName


@dataclass(frozen=True)
class Reference:
    """A place in a query where rows are taken from; line and column are positions in the user's file."""

    written: str
    """As it stands there, without quotes: `silver.orders`, `read_csv`."""
    line: int
    column: int
    is_function: bool = False

    @property
    def table(self) -> TableName | None:
        """The table that it names, or None when it is not of the form layer.name."""
        try:
            return None if self.is_function else TableName.parse(self.written.lower())
        except ValueError:
            return None


@dataclass(frozen=True)
class Query:
    """One query of a user's file, as today's parser reads it."""

    text: str
    file: str
    first_line: int
    references: tuple[Reference, ...]
    """Every place from which rows are taken, in reading order; names of CTEs are none."""
    columns: tuple[str, ...] | None
    """The names of the columns that it gives; None when a `*` or an expression without alias hides them."""
    trouble: tuple[str, int, int] | None = None
    """Why it cannot be a model (several statements, a forbidden function, …), with line and column."""

    @property
    def tables(self) -> tuple[TableName, ...]:
        """The tables that it reads, each once, in reading order."""
        found = (reference.table for reference in self.references)
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def same_meaning(self, other: str) -> bool:
        """Say whether another text is this query, but for comments and layout."""
        return same(self.text, other)

    def place(self, line: int, column: int) -> Place:
        """Point at a position of the user's file, with the line's text."""
        lines = self.text.split("\n")
        at = line - self.first_line
        return Place(self.file, line, column, lines[at] if 0 <= at < len(lines) else None)

    def to_json(self) -> dict[str, Any]:
        """Write what the parser found, for the cache; the text itself is not repeated."""
        return {
            "references": [asdict(reference) for reference in self.references],
            "columns": self.columns,
            "trouble": self.trouble,
            "first_line": self.first_line,
        }

    @classmethod
    def from_json(cls, text: str, file: str, known: Mapping[str, Any]) -> Query:
        """Read what `to_json` wrote. Raises KeyError or TypeError when it is something else."""
        trouble, columns = known["trouble"], known["columns"]
        return cls(
            text=text,
            file=file,
            first_line=known["first_line"],
            references=tuple(Reference(**reference) for reference in known["references"]),
            columns=None if columns is None else tuple(columns),
            trouble=None if trouble is None else (trouble[0], trouble[1], trouble[2]),
        )


@cache
def _late(module: str) -> Any:
    # by name, when it is needed: importing sqlglot costs as much as loading a whole project
    return import_module(f"lagoa.sql.{module}")


def parse(text: str, file: str, first_line: int = 1) -> Query:
    """Read one query; `first_line` is the line of the file on which text begins.

    Raises ProjectError LG-105, placed in the user's file, when it is not SQL. Why a query cannot be a model
    is told by `Query.trouble`.
    """
    query: Query = _late("tree").read(text, file, first_line)
    return query


def same(a: str, b: str) -> bool:
    """Say whether two texts are one query but for comments, layout and the case of keywords.

    Both are read by today's parser; a text that it cannot read is the same as no other text.
    """
    if a == b:
        return True
    answer: bool = _late("compare").same(a, b)
    return answer


def differences(a: str, b: str) -> list[str]:
    """Say in words what is different in query b: `column total added`, `where`; empty when nothing is."""
    words: list[str] = _late("compare").differences(a, b)
    return words


def is_select(text: str) -> bool:
    """Say whether text is exactly one query that only reads."""
    answer: bool = _late("tree").is_select(text)
    return answer


def is_ordered(text: str) -> bool:
    """Say whether a query puts its own rows in an order."""
    if "order" not in text.lower():
        return False  # most have none, and need no parser to say so
    answer: bool = _late("tree").is_ordered(text)
    return answer


def laid_out(text: str) -> str:
    """Break a query that a program wrote into lines; one that cannot be read stays as it is."""
    shown: str = _late("layout").laid_out(text)
    return shown


def bare(text: str) -> str:
    """Return a query without the semicolons at its end, and what comments stand behind them; its lines stay."""
    if ";" not in text:
        return text
    cut: str = _late("tree").bare(text)
    return cut
