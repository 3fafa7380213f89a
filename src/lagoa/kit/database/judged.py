"""Columns whose values the database itself judges, and the portion in which their rows come, sound or set aside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from lagoa.kit.arrow import origins
from lagoa.kit.patience import Patience, Pump
from lagoa.ports import RAW, REASON, SOURCE, Portion


@dataclass(frozen=True)
class Found:
    """A column as the catalog knows it: `type` is the database's word; precision and scale are 0 where it has none."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0
    required: bool = False


@dataclass(frozen=True)
class Judged:
    """How one column is read: `value` is SQL over the row `t`, null for a value that no Delta table holds.

    `odd` is SQL for such a value as text, and null for every other; None: there is no such value. `why` goes on from
    'x is …,' in the reason. `wire` is the type in which values arrive, `lands` the table's.
    """

    name: str
    found: Found
    value: str
    wire: pa.DataType
    lands: pa.DataType
    odd: str | None = None
    why: str = ""


class Line(Protocol):
    """What streams rows: one thread reads through it at a time, `cancel` may come from any."""

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows as `schema`, losing nothing; waits without bounds: run it under a Pump."""

    def cancel(self) -> None:
        """Stop what runs here."""

    def close(self) -> None:
        """End it."""


def query(columns: Sequence[Judged], source: str, where: str, place: str | None = None) -> str:
    """Write the query for the values of all columns, then for those that are odd, as v0, v1, … and o0, o1, …

    `place` is SQL, as text, for where a row stands; it comes last.
    """
    shown = [f"{c.value} as v{i}" for i, c in enumerate(columns)]
    shown += [f"{c.odd} as o{i}" for i, c in enumerate(columns) if c.odd is not None]
    shown += [f"{place} as place"] if place is not None else []
    return f"select {', '.join(shown)} from {source} t where {where}"


@dataclass
class JudgedRows:
    """Rows of `source` (quoted SQL) that fulfil `where`; `origin` opens each `_source`, values at `telling` follow.

    `hidden` names columns whose values no reason repeats.
    """

    line: Line
    patience: Patience
    explain: Callable[[Exception], Exception]
    columns: Sequence[Judged]
    source: str
    where: str
    origin: str
    telling: Sequence[int]
    hidden: frozenset[str]
    place: str | None = None
    """SQL, as text, for what follows `origin` instead of values: a number that the database gives its rows."""
    label: str = ""
    """What the portion is called, `origin` when nothing is said."""
    own: bool = False
    """Whether nobody else reads through the line, which then ends with the rows."""

    def portion(self) -> Portion:
        """Read the rows, once."""
        pump = Pump(self._rows, self.patience, self.line.cancel, self.explain)

        def close() -> None:
            pump.close()
            if pump.failed is not None:
                raise pump.failed

        return Portion(
            pa.RecordBatchReader.from_batches(self._schema(), pump), label=self.label or self.origin, close=close
        )

    def _schema(self) -> pa.Schema:
        fields = [pa.field(c.name, c.wire) for c in self.columns]
        return pa.schema([*fields, *(pa.field(name, pa.string()) for name in (SOURCE, REASON, RAW))])

    def _rows(self) -> Iterator[pa.RecordBatch]:
        fields = [pa.field(f"v{i}", c.wire) for i, c in enumerate(self.columns)]
        fields += [pa.field(f"o{i}", pa.string()) for i, c in enumerate(self.columns) if c.odd is not None]
        fields += [pa.field("place", pa.string())] if self.place is not None else []
        sql = query(self.columns, self.source, self.where, self.place)
        try:
            for batch in self.line.batches(sql, pa.schema(fields)):
                yield self._told(batch)
        finally:
            if self.own:
                self.line.close()

    def _told(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        count = len(self.columns)
        values, odd = batch.columns[:count], iter(batch.columns[count:])
        shown = {i: next(odd) for i, c in enumerate(self.columns) if c.odd is not None}
        told = [values[i] for i in self.telling] if self.place is None else [next(odd)]
        came_from = origins(self.origin, told, len(batch))
        reason, raw = self._refused(values, shown, len(batch))
        return pa.RecordBatch.from_arrays([*values, came_from, reason, raw], schema=self._schema())

    def _refused(self, values: Sequence[Any], shown: dict[int, Any], rows: int) -> tuple[pa.Array, pa.Array]:
        """Give the reason of each refused row, and the row as JSON."""
        nothing: Any = pa.nulls(rows, pa.string())
        reasons = [self._reason(self.columns[i], v) for i, v in shown.items() if v.null_count < rows]
        if not reasons:
            return nothing, nothing
        # pyarrow's own way to skip nulls loses rows when there is one column alone
        both: Callable[[Any, Any], Any] = lambda a, b: pc.coalesce(pc.binary_join_element_wise(a, b, "; "), a, b)  # noqa: E731
        reason = reduce(both, reasons)
        refused = pc.indices_nonzero(pc.is_valid(reason))
        told = [
            self._texts(v.take(refused), shown[i].take(refused) if i in shown else None) for i, v in enumerate(values)
        ]
        names = [c.name for c in self.columns]
        raws = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in zip(*told, strict=True)]
        return reason, pc.replace_with_mask(nothing, pc.is_valid(reason), pa.array(raws, pa.string()))

    def _reason(self, column: Judged, odd: pa.Array) -> pa.Array:
        text = pa.scalar("not shown") if column.name in self.hidden else odd
        why = pc.binary_join_element_wise(f"{column.name} is ", text, f", {column.why}", "")
        return pc.if_else(pc.is_valid(odd), why, pa.scalar(None, pa.string()))

    @staticmethod
    def _texts(values: pa.Array, odd: pa.Array | None) -> list[str | None]:
        """Write the values of the few refused rows, the odd ones as the database wrote them."""
        texts = [None if v is None else v.hex() if isinstance(v, bytes) else str(v) for v in values.to_pylist()]
        if odd is None:
            return texts
        return [text if found is None else found for text, found in zip(texts, odd.to_pylist(), strict=True)]


def conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a driver's batch the types that were asked for, by position. Raises ArrowInvalid rather than change one."""
    arrays = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
