"""One reading of one stream of a database: its window, and the one batch that it gives, whichever database it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import pyarrow as pa

from lagoa.kit.database.choice import named
from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import EVERYTHING, Cursor, Speech, cursor_of, refuse_endless, refuse_nulls
from lagoa.kit.database.stream import DatabaseStream
from lagoa.ports import Batch, Portion, Reading

C = TypeVar("C", bound=Column)
_NOTHING: Any = object()


class DatabaseReading(ABC, Generic[C]):
    """What one reading asks, as of one moment. `from_` is what is read, as quoted SQL: a query until it is looked up.

    A subclass says how to ask, which columns there are, and how their rows come as portions.
    """

    def __init__(self, stream: DatabaseStream, reading: Reading, speech: Speech) -> None:
        self.stream, self.reading, self.speech = stream, reading, speech
        self.what = reading.table
        self.from_ = f"(\n{(stream.query or '').strip().rstrip(';')}\n)"

    @abstractmethod
    def ask(self, sql: str) -> Sequence[Mapping[str, Any]]:
        """Run a small query as of the moment of this reading; columns are named in lower case. Raises SourceError."""

    @abstractmethod
    def columns(self) -> list[C]:
        """Find what is read, and decide how each column is. Raises SourceError."""

    @abstractmethod
    def portions(self, columns: Sequence[C], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`."""

    def said(self, work: Callable[[], Any]) -> Any:
        """Do what the driver does, its errors explained."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001  # a driver may raise anything
            raise self.explain(error) from None  # the driver's own words may hold secrets

    @abstractmethod
    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""

    def batches(self) -> Iterator[Batch]:
        """Give the one batch of this reading, or none when nothing is new."""
        columns = self.columns()
        for name in self.stream.key:
            named(columns, name, self.what, "key")
        cursor, value, where = self._window(columns)
        still = cursor is not None and value is _NOTHING
        if still and not self.stream.compares:
            return
        append = self.stream.mode == "append" and cursor is not None
        yield Batch(
            portions=iter(()) if still else self.portions(columns, where, cursor),
            schema=pa.schema([pa.field(c.name, c.lands) for c in columns]),
            cursor=lambda: None if cursor is None or value is None or still else cursor.json(value),
            overlap=cursor.overlap() if append and cursor is not None else None,
            keys=self._keys([c for c in columns if c.name in self.stream.key]) if self.stream.compares else None,
        )

    def telling(self, columns: Sequence[C], cursor: Cursor | None) -> list[int]:
        """Choose the columns whose values say where a row comes from; personal ones are not repeated."""
        names = self.stream.key if self.stream.mode == "merge" else ((cursor.column.name,) if cursor else ())
        found = [i for i, c in enumerate(columns) if c.name in names]
        unfit = any(columns[i].name in self.hidden or pa.types.is_binary(columns[i].wire) for i in found)
        return [] if unfit else found

    @property
    def hidden(self) -> frozenset[str]:
        """Name the columns whose values must not be repeated outside the table."""
        return frozenset(name for name, said in self.stream.columns.items() if said.pii)

    def _keys(self, columns: Sequence[C]) -> Batch:
        """Give every key that this reading's moment holds."""
        schema = pa.schema([pa.field(c.name, c.lands) for c in columns])
        return Batch(self.portions(columns, EVERYTHING, None), schema)

    def _window(self, columns: Sequence[C]) -> tuple[Cursor | None, Any, str]:
        """Say which rows are new: the cursor, its highest value (or `_NOTHING`), and the condition."""
        if self.stream.cursor is None:
            return None, None, EVERYTHING
        by = named(columns, self.stream.cursor, self.what, "cursor")
        cursor = cursor_of(by, self.reading.since, self.stream.lag, self.speech)
        nulls = 0
        if not by.found.required:
            name = self.speech.raw(by)
            nulls = int(self.ask(f"select count(*) as n from {self.from_} t where {name} is null")[0]["n"])
            if self.stream.mode != "merge":
                refuse_nulls(by, nulls, self.what)
        top = self._highest(cursor)
        if cursor.last is not None and not nulls and not self._has_news(cursor):
            return cursor, _NOTHING, "1 = 0"
        return cursor, top if top is not None else cursor.last, cursor.where(nulls=nulls > 0)

    def _highest(self, cursor: Cursor) -> str | None:
        above = f"{self.speech.raw(cursor.column)} is not null and {replace(cursor, lag=0).where(nulls=False)}"
        rest = f"from {self.from_} t where {above} order by {cursor.sql} desc"
        rows = self.ask(self.speech.first(f"{self.speech.text(cursor.column)} as v", rest))
        top: str | None = rows[0]["v"] if rows else None
        refuse_endless(cursor, top)
        return top

    def _has_news(self, cursor: Cursor) -> bool:
        rest = f"from {self.from_} t where {cursor.where(nulls=False)}"
        return bool(self.ask(self.speech.first("1 as one", rest)))
