"""Rows that one connection reads as a portion: packed by the server, and once more value by value if that misleads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import pyarrow as pa

from lagoa.kit.arrow import origins
from lagoa.kit.mysql.columns import MyColumn, column
from lagoa.kit.mysql.line import Line
from lagoa.kit.mysql.unpack import SEPARATOR, batch, opened, split
from lagoa.kit.patience import Patience, Pump
from lagoa.ports import RAW, REASON, SOURCE, Portion, Settled

T = TypeVar("T")
_GOAL = 4 << 20
"""Bytes that a window should bring."""
_FIRST, _MOST = 2_000, 200_000
"""Rows of the first window, and of the largest: a short answer comes soon, and a stop is noticed soon."""


@dataclass(frozen=True)
class Walk:
    """Windows over a whole-number key from `low` to `high`, both included, each answered by one value.

    Where keys follow each other closely a window is so many keys wide; elsewhere the server is asked where so many
    rows end.
    """

    key: str
    low: int
    high: int
    most: int
    """Bytes that one answer may have."""


@dataclass
class Part:
    """Rows of `source` (quoted SQL) that fulfil `where`, read through `line`, which others may share.

    `origin` opens each row's `_source`, followed by the values of the columns at `telling`.
    """

    line: Line
    shared: bool
    patience: Patience
    explain: Callable[[Exception], Exception]
    columns: Sequence[MyColumn]
    source: str
    where: str
    origin: str
    telling: Sequence[int]
    hidden: frozenset[str]
    label: str
    walk: Walk | None = None
    _misled: bool = field(default=False, init=False)

    def portion(self) -> Portion:
        """Read packed rows; where a value holds what stands between values, rows are read again value by value."""
        if self.walk:
            return self._pumped(partial(self._windows, self.walk), lambda *_: Settled())
        return self._pumped(self._packed, self._settled)

    def _settled(self, *_: object) -> Settled | Portion:
        again = partial(self._single, self.where)
        return self._pumped(again, lambda *_: Settled()) if self._misled else Settled()

    def _pumped(
        self, make: Callable[[], Iterator[pa.RecordBatch]], settle: Callable[..., Settled | Portion]
    ) -> Portion:
        def rows() -> Iterator[pa.RecordBatch]:
            try:
                yield from make()
            finally:
                if not self.shared:
                    self.line.close()

        pump = Pump(rows, self.patience, self.line.cancel, self.explain)

        def close() -> None:
            pump.close()
            if pump.failed is not None:
                raise pump.failed

        fields = [pa.field(c.name, c.wire) for c in self.columns]
        own = [pa.field(name, pa.string()) for name in (SOURCE, REASON, RAW)]
        reader = pa.RecordBatchReader.from_batches(pa.schema([*fields, *own]), pump)
        return Portion(reader, settle=settle, label=self.label, close=close)

    @property
    def _row(self) -> str:
        return f"concat_ws('{SEPARATOR}', {', '.join(c.packed for c in self.columns)})"

    def _packed(self) -> Iterator[pa.RecordBatch]:
        """Give rows that the server made one text each."""
        sql = f"select {self._row} from {self.source} as t where {self.where}"
        with closing(self._ahead(lambda: self.line.rows(sql))) as coming:
            for rows in coming:  # to their end even when misled: giving up would end the moment that all is read of
                packed = pa.array([row[0] for row in rows], pa.large_binary())
                found = None if self._misled or packed.null_count else self._taken(packed, len(rows))
                if found is None:
                    self._misled = True
                else:
                    yield found

    def _windows(self, walk: Walk) -> Iterator[pa.RecordBatch]:
        """Give rows that the server made one text for a whole window of keys, and those of misleading windows after."""
        misled = []
        with closing(self._ahead(partial(self._fetched, walk))) as coming:
            for where, rows, packed in coming:
                found = None if packed is None else self._taken(pa.array([packed], pa.large_binary()), rows)
                if found is None:
                    misled.append(where)
                else:
                    yield found
        for where in misled:
            yield from self._single(where)

    def _ahead(self, make: Callable[[], Iterator[T]]) -> Pump[T]:
        """Let the server work on what comes next while this is taken apart."""
        return Pump(make, self.patience, self.line.cancel, lambda error: error)

    def _fetched(self, walk: Walk) -> Iterator[tuple[str, int, bytes | None]]:
        """Give windows that have rows: the condition, how many, and their text; None when it is cut short."""
        key, low, wanted, close = column(walk.key), walk.low, _FIRST, True
        text = f"group_concat({self._row} separator '{SEPARATOR}')"
        while low <= walk.high:
            high = low + wanted - 1 if close else self._end(key, low, wanted)
            if high is None:
                return
            where = f"({self.where}) and {key} >= {low} and {key} <= {min(high, walk.high)}"
            [[(count, packed)]] = self.line.rows(f"select count(*), {text} from {self.source} as t where {where}")
            rows, size = int(count), len(packed or b"")
            whole = packed is not None and size < walk.most
            if rows > 1 and not whole:
                wanted = max(1, min(wanted, rows) // 4)
                continue
            if rows:
                yield where, rows, packed if whole else None
            close, wanted, low = rows * 2 > high - low, _more(wanted, rows, size), high + 1

    def _end(self, key: str, low: int, wanted: int) -> int | None:
        """Find the key of the last of so many rows; None when there is no row."""
        keys = f"select {key} as k from {self.source} as t where {key} >= {low} order by {key} limit {wanted}"
        found = self.line.one(f"select max(k) from ({keys}) as w")[0]
        return None if found is None else int(found)

    def _taken(self, packed: pa.Array, rows: int) -> pa.RecordBatch | None:
        texts = split(packed, len(self.columns))
        if texts is None or len(texts[0]) != rows:
            return None
        return self._batch([opened(c, t) for c, t in zip(self.columns, texts, strict=True)], rows)

    def _single(self, where: str) -> Iterator[pa.RecordBatch]:
        """Give rows value by value: slower, and never misled."""
        shown = ", ".join(c.single for c in self.columns)
        for rows in self.line.rows(f"select {shown} from {self.source} as t where {where}"):
            made = [pa.array(values, pa.large_binary()) for values in zip(*rows, strict=True)]
            texts = [
                v if c.shape == "bytes" else v.cast(pa.large_string()) for c, v in zip(self.columns, made, strict=True)
            ]
            yield self._batch(texts, len(rows))

    def _batch(self, texts: Sequence[pa.Array], rows: int) -> pa.RecordBatch:
        told = [texts[i].cast(pa.string()) for i in self.telling]
        made = batch(self.columns, texts, origins(self.origin, told, rows), self.hidden)
        fields = [pa.field(c.name, c.wire) for c in self.columns]
        own = [pa.field(name, pa.string()) for name in (SOURCE, REASON, RAW)]
        return made.cast(pa.schema([*fields, *own]))


def _more(wanted: int, rows: int, size: int) -> int:
    """Aim at windows of about the same bytes."""
    if not rows:
        return wanted
    return max(1, min(rows * _GOAL // max(1, size), wanted * 4, _MOST))
