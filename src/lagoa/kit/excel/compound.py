"""The streams of a compound file, in which .xls lies: sectors chained by a table, as [MS-CFB] describes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from struct import iter_unpack, unpack_from

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST = 0xFFFFFFFA
"""Numbers of sectors lie below it; what lies above ends a chain or marks it as free."""
_STREAM, _ROOT = 2, 5
_ENTRY, _HEADER = 128, 512


@dataclass
class Compound:
    """A compound file. Raises OSError for what is damaged: chains are followed no further than the file has sectors."""

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) < _HEADER:
            raise OSError("it is cut off")
        shift, small_shift = unpack_from("<HH", self.data, 0x1E)
        self._tables, self._first = unpack_from("<II", self.data, 0x2C)
        self._cutoff, self._small_first = unpack_from("<II", self.data, 0x38)
        self._more, self._more_count = unpack_from("<II", self.data, 0x44)
        if shift not in (9, 12) or small_shift != 6:
            raise OSError("its header is damaged")
        self._size, self._small = 1 << shift, 1 << small_shift

    @cached_property
    def streams(self) -> dict[str, tuple[int, int]]:
        """The first sector and the size of each stream, by name; the root's is called ''."""
        found = {}
        entries = self._chained(self._first)
        for place in range(0, len(entries) - _ENTRY + 1, _ENTRY):
            length, kind = unpack_from("<HB", entries, place + 0x40)
            if kind in (_STREAM, _ROOT):
                name = entries[place : place + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
                found["" if kind == _ROOT else name] = unpack_from("<II", entries, place + 0x74)
        return found

    def stream(self, name: str) -> bytes:
        """Return a stream's bytes. Raises KeyError when there is none of that name."""
        start, size = self.streams[name]
        found = self._chained(start)[:size] if size >= self._cutoff else self._chained_small(start)[:size]
        if len(found) < size:
            raise OSError("it is cut off")
        return found

    @cached_property
    def _table(self) -> list[int]:
        """For each sector the number of the next one."""
        numbers, sectors = list(unpack_from("<109I", self.data, 0x4C)), len(self.data) // self._size
        place, seen = self._more, 0
        while place < _LAST and seen < min(self._more_count, sectors):
            part = [n for (n,) in iter_unpack("<I", self._sector(place))]
            numbers += part[:-1]
            place, seen = part[-1], seen + 1
        raw = b"".join(self._sector(n) for n in numbers[: min(self._tables, sectors)] if n < _LAST)
        return [n for (n,) in iter_unpack("<I", raw)]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self.data[start : start + self._size].ljust(self._size, b"\0")

    def _chained(self, start: int) -> bytes:
        return b"".join(map(self._sector, _chain(start, self._table)))

    def _chained_small(self, start: int) -> bytes:
        held = self._chained(self.streams.get("", (_LAST, 0))[0])
        size = self._small
        return b"".join(held[n * size : (n + 1) * size] for n in _chain(start, self._small_table))

    @cached_property
    def _small_table(self) -> list[int]:
        return [n for (n,) in iter_unpack("<I", self._chained(self._small_first))]


def _chain(start: int, table: list[int]) -> list[int]:
    found: list[int] = []
    while start < _LAST:
        if start >= len(table) or len(found) > len(table):
            raise OSError("a chain of sectors is damaged")
        found.append(start)
        start = table[start]
    return found
