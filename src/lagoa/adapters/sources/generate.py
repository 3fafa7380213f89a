"""A made-up bank with its customers, cards, site and shop: Brazilian data of any size, equal on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.generate.read import TABLES, told, truth
from lagoa.kit.generate.table import Table, schema
from lagoa.kit.generate.window import windows
from lagoa.kit.generate.world import MILLION, World
from lagoa.kit.generate.world import Faults as Rates
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Stream

_MOST = MILLION // 2


def _rate(value: Any) -> int:
    """Read `1%` or `0.01` as so many of a million."""
    text = str(value).strip()
    try:
        number = Decimal(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        rate = number * MILLION
    except InvalidOperation:
        raise ValueError("must be a share such as 1% or 0.01") from None
    if not 0 <= rate <= _MOST or rate != int(rate):
        raise ValueError("must be a share from 0% to 50%, in steps of 0.0001%")
    return int(rate)


Rate = Annotated[int, BeforeValidator(_rate), WithJsonSchema({"type": ["string", "number"]})]


class Faults(Declared):
    """What goes wrong on the way, as shares of the rows: 1%."""

    late: Rate = 0
    """Rows that come one to five days after they happened."""
    duplicated: Rate = 0
    """Rows that come a second time, within two days."""
    corrected: Rate = 0
    """Rows that come again with other values and a later `updated_at`; customers whose CPF was typed wrong at first."""
    deleted: Rate = 0
    """Rows that come again with `deleted_at`."""
    drift: date | None = None
    """The day from which on the applications have other columns."""


class GeneratedStream(Stream):
    """A table of one of the applications."""

    table: str | None = None
    """Which table; the stream's name when left out."""


class Generate(Source):
    """Made-up applications of a bank: crm, accounts, cards, transactions, web visits, shop. Nobody in it exists."""

    seed: int = 1
    """Another number gives another world; the same one gives the same world everywhere."""
    size: int = Field(2000, ge=10, le=100_000_000)
    """How many customers there are at the start; everything else follows."""
    start: date = date(2025, 1, 1)
    """The first day on which something happens."""
    until: date | None = None
    """The last day that is told; yesterday (UTC) when left out, so that each day brings its news."""
    faults: Faults = Field(default_factory=Faults)
    """What goes wrong; nothing when left out."""
    streams: Mapping[str, GeneratedStream] = Field(default_factory=dict)
    """What is read, by name; each lands in bronze.<source>_<stream>."""

    @model_validator(mode="after")
    def _is_a_world(self) -> Self:
        if self.until is not None and self.until < self.start:
            raise ValueError(f"until: {self.until} is before the start, {self.start}")
        faults = self.faults
        if faults.duplicated + faults.corrected + faults.deleted > MILLION:
            raise ValueError("faults: more than all rows are duplicated, corrected or deleted")
        for name, stream in self.streams.items():
            table = TABLES.get(stream.table or name)
            if table is None:
                wanted = stream.table or name
                hint = did_you_mean(wanted, list(TABLES)) or f"there are {', '.join(TABLES)}"
                raise ValueError(f"{name}: there is no table `{wanted}`; {hint}")
            _refuse_unknown(name, stream, table)
        return self

    @property
    def world(self) -> World:
        """The world that it tells of."""
        return World(self.seed, self.size, self.start, Rates(**self.faults.model_dump()))

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Tell what has come since the day that the table holds, up to `until`. Raises SourceError LG-207."""
        world, stream = self.world, self.streams[reading.stream]
        table = TABLES[stream.table or reading.stream]
        after = _after(world, reading)
        last = world.day(self._until())
        if after is not None and after >= last and stream.mode != "replace":
            return
        shape = {n: t for n, t in table.shape(world.drifted(last)).items() if n not in stream.dropped}
        whole = stream.mode == "replace"
        for window in windows(world, table, None if whole else after, last, in_parts=not whole):
            portions = told(world, table, window, shape, reading.stream)
            cursor = {"through": world.date(window.through).isoformat(), "world": world.named}
            yield Batch(
                portions=(Portion(rows, label=label) for rows, label in portions),
                schema=schema(shape),
                cursor=lambda found=cursor: None if whole else found,  # type: ignore[misc]  # mypy knows no default here
            )

    def truth(self, table: str) -> str:
        """Write DuckDB's SQL of what is true of a table at the end of `until`, to judge what was made of its rows.

        Each row stands there once, right, as soon as it has arrived; deleted ones do not. `fault` says what went
        wrong with it on the way (late rows apart).
        """
        return truth(self.world, TABLES[table], self.world.day(self._until()))

    def _until(self) -> date:
        return self.until or datetime.now(UTC).date() - timedelta(days=1)


def _refuse_unknown(name: str, stream: Stream, table: Table) -> None:
    """A misspelt `drop:`, `key:` or `cursor:` must not go unnoticed. Raises ValueError."""
    known = {*table.columns, *table.later}
    marks = stream.deletes.column if stream.deletes else None
    for word, found in (
        ("columns", stream.columns),
        ("key", stream.key),
        ("partition_by", stream.partition_by),
        ("deletes", [marks] if marks else []),
    ):
        for column in found:
            if column not in known:
                hint = did_you_mean(column, sorted(known)) or f"it has {', '.join(sorted(known))}"
                raise ValueError(f"{name}: `{table.name}` has no column `{column}`, which `{word}:` names; {hint}")
    if stream.cursor not in (None, "updated_at"):
        raise ValueError(f"{name}: news are told by the day; `cursor:` can only be updated_at")


def _after(world: World, reading: Reading) -> int | None:
    """Say up to which day the table has been read. Raises SourceError LG-207 when that was in another world."""
    if reading.since is None:
        return None
    if reading.since["world"] != world.named:
        raise SourceError(
            "LG-207",
            f"{reading.table} holds rows of another seed, size, start or faults, which cannot be read on from",
            hint=f"`lagoa run --full -s {reading.table}` makes the table anew",
        )
    return world.day(date.fromisoformat(reading.since["through"]))


Adapter = Generate
