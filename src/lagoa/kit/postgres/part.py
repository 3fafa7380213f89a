"""Rows that one connection reads as a portion: fast, and once more with reasons when some cannot be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lagoa.kit.arrow import any_of, odd_days, odd_numbers, origins, plain
from lagoa.kit.patience import Patience, Pump
from lagoa.kit.postgres.columns import PgColumn, judging_sql, reading_sql
from lagoa.kit.postgres.line import Line
from lagoa.ports import RAW, REASON, SOURCE, Portion, Settled

_Shape = Callable[[pa.RecordBatch, pa.Schema], pa.RecordBatch]


@dataclass
class Part:
    """Rows of `source` (quoted SQL) that fulfil `where`, read through `line`.

    `origin` opens each row's `_source`, followed by the values of the columns at `telling`. With `shared` the line
    belongs to somebody else, who closes it.
    """

    line: Line
    shared: bool
    patience: Patience
    explain: Callable[[Exception], Exception]
    columns: Sequence[PgColumn]
    source: str
    where: str
    origin: str
    telling: Sequence[int]
    label: str
    size: int | None = None
    again: Callable[[], Line] | None = None
    """Opens another line with the same view of the data; None: the shared line is used once more."""
    _odd: bool = field(default=False, init=False)

    def portion(self) -> Portion:
        """Read the rows without those whose values no Delta table holds; if there are any, all are read again."""
        sql = reading_sql(self.columns, self.source, self.where)
        return self._pumped(self.line, sql, self._schema(SOURCE), self._sound, self._settled)

    def _settled(self, *_: object) -> Settled | Portion:
        if not self._odd:
            return Settled()
        line = self.again() if self.again is not None else self.line
        sql = judging_sql(self.columns, self.source, self.where)
        return self._pumped(line, sql, self._schema(SOURCE, REASON, RAW), self._told, lambda *_: Settled())

    def _schema(self, *own: str) -> pa.Schema:
        fields = [pa.field(c.name, c.wire) for c in self.columns]
        return pa.schema([*fields, *(pa.field(name, pa.string()) for name in own)])

    def _pumped(
        self, line: Line, sql: str, schema: pa.Schema, shape: _Shape, settle: Callable[..., Settled | Portion]
    ) -> Portion:
        def rows() -> Iterator[pa.RecordBatch]:
            try:
                for batch in line.batches(sql):
                    yield shape(batch, schema)
            finally:
                if not self.shared:
                    line.close()

        pump = Pump(rows, self.patience, line.cancel, self.explain)

        def close() -> None:
            pump.close()
            if pump.failed is not None:
                raise pump.failed

        reader = pa.RecordBatchReader.from_batches(schema, pump)
        return Portion(reader, settle=settle, label=self.label, size=self.size, close=close)

    def _sound(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        *values, flags = batch.columns
        values = [plain(value) for value in values]
        whole = pa.RecordBatch.from_arrays([*values, self._origins(values, len(flags))], schema=schema)
        masks = [] if flags.null_count == len(flags) else [pc.fill_null(flags, False)]
        masks += [m for c, v in zip(self.columns, values, strict=True) if (m := _odd(c, v)) is not None]
        if not masks or not pc.any(any_of(masks)).as_py():
            return whole
        self._odd = True
        return whole.filter(pc.invert(any_of(masks)))

    def _told(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        *values, reason, raw = (plain(value) for value in batch.columns)
        return pa.RecordBatch.from_arrays([*values, self._origins(values, len(reason)), reason, raw], schema=schema)

    def _origins(self, values: Sequence[Any], rows: int) -> pa.Array:
        return origins(self.origin, [values[i] for i in self.telling], rows)


def _odd(known: PgColumn, value: pa.Array) -> pa.Array | None:
    if known.risk in ("date", "time"):
        return odd_days(value)
    return odd_numbers(value) if known.risk == "number" else None
