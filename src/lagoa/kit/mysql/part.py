"""Rows that one connection reads as a portion: packed by the server, and once more value by value if that misleads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from lagoa.kit.arrow import origins
from lagoa.kit.mysql.columns import MyColumn, column
from lagoa.kit.mysql.line import Line
from lagoa.kit.mysql.unpack import SEPARATOR, batch, opened, split
from lagoa.kit.patience import Patience, Pump
from lagoa.ports import RAW, REASON, SOURCE, Portion, Settled

_GOAL = 4 << 20
"""Bytes that a window should bring."""
_FIRST, _WIDEST = 2_000, 500_000
"""Keys of the first window, and of the widest: a short answer comes soon, and a stop is noticed soon."""


@dataclass(frozen=True)
class Walk:
    """Windows over a whole-number key from `low` to `high`, both included, each answered by one value."""

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
        """Read packed rows; when a value holds what stands between values, all are read again one by one."""
        if any(c.shape == "bytes" for c in self.columns):  # bytes cannot be packed with texts
            return self._pumped(self._single, lambda *_: Settled())
        return self._pumped(self._windows if self.walk else self._packed, self._settled)

    def _settled(self, *_: object) -> Settled | Portion:
        return self._pumped(self._single, lambda *_: Settled()) if self._misled else Settled()

    def _pumped(
        self, make: Callable[[], Iterator[pa.RecordBatch]], settle: Callable[..., Settled | Portion]
    ) -> Portion:
        def rows() -> Iterator[pa.RecordBatch]:
            try:
                yield from make()
            finally:
                if not self.shared and not self._misled:
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
        for rows in self.line.rows(f"select cast({self._row} as binary) from {self.source} as t where {self.where}"):
            packed = pa.array([row[0] for row in rows], pa.large_binary())
            if packed.null_count or (found := self._taken(packed, len(rows))) is None:
                self._misled = True
                return
            yield found

    def _windows(self) -> Iterator[pa.RecordBatch]:
        """Give rows that the server made one text for a whole window of keys."""
        walk = self.walk
        if walk is None:
            return
        key, low, width = column(walk.key), walk.low, _FIRST
        text = f"cast(group_concat({self._row} separator '{SEPARATOR}') as binary)"
        while low <= walk.high:
            inside = f"{key} >= {low} and {key} <= {min(low + width - 1, walk.high)}"
            where = f"({self.where}) and {inside}"
            rows, packed = self.line.one(f"select count(*), {text} from {self.source} as t where {where}")
            size = len(packed or b"")
            if rows and (packed is None or size >= walk.most):
                if width == 1:
                    self._misled = True
                    return
                width = max(1, width // 4)
                continue
            if rows:
                found = self._taken(pa.array([packed], pa.large_binary()), rows)
                if found is None:
                    self._misled = True
                    return
                yield found
            low = low + width if rows else self._next(key, low + width)
            width = _wider(width, size)

    def _next(self, key: str, low: int) -> int:
        """Leap over a gap."""
        found = self.line.one(f"select min({key}) from {self.source} as t where {key} >= {low}")[0]
        return int(found) if found is not None else self.walk.high + 1 if self.walk else low

    def _taken(self, packed: pa.Array, rows: int) -> pa.RecordBatch | None:
        texts = split(packed, len(self.columns))
        if texts is None or len(texts[0]) != rows:
            return None
        return self._batch([opened(c, t) for c, t in zip(self.columns, texts, strict=True)], rows)

    def _single(self) -> Iterator[pa.RecordBatch]:
        """Give rows value by value: slower, and never misled."""
        self._misled = False
        shown = ", ".join(f"cast({c.text} as binary)" for c in self.columns)
        for rows in self.line.rows(f"select {shown} from {self.source} as t where {self._where}"):
            made = [pa.array(values, pa.large_binary()) for values in zip(*rows, strict=True)]
            texts = [
                v if c.shape == "bytes" else v.cast(pa.large_string()) for c, v in zip(self.columns, made, strict=True)
            ]
            yield self._batch(texts, len(rows))

    @property
    def _where(self) -> str:
        walk = self.walk
        inside = f" and {column(walk.key)} between {walk.low} and {walk.high}" if walk else ""
        return f"({self.where}){inside}"

    def _batch(self, texts: Sequence[pa.Array], rows: int) -> pa.RecordBatch:
        told = [texts[i].cast(pa.string()) for i in self.telling]
        made = batch(self.columns, texts, origins(self.origin, told, rows), self.hidden)
        fields = [pa.field(c.name, c.wire) for c in self.columns]
        own = [pa.field(name, pa.string()) for name in (SOURCE, REASON, RAW)]
        return made.cast(pa.schema([*fields, *own]))


def _wider(width: int, size: int) -> int:
    """Aim at windows of about the same bytes."""
    if not size:
        return min(width * 4, _WIDEST)
    return max(1, min(int(width * min(4.0, _GOAL / size)), _WIDEST))
