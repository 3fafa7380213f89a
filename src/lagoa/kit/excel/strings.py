"""The texts of an .xls workbook: those that its cells share go on over records, and change their width on the way."""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack_from

_WIDE, _EXTENDED, _RICH = 1, 4, 8


class Texts:
    """Reads strings from the payloads of a record and of those that continue it. Raises IndexError, struct.error."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts, self._nth, self._place = parts, 0, 0

    def shared(self) -> list[str]:
        """Read the table of shared strings."""
        _, count = unpack_from("<II", self._parts[0])
        self._place = 8
        return [self.string() for _ in range(min(count, sum(map(len, self._parts))))]

    def string(self) -> str:
        """Read one string with its header; fonts and readings beside it are passed over."""
        if self._place >= len(self._parts[self._nth]):
            self._next()
        length, flags = unpack_from("<HB", self._parts[self._nth], self._place)
        self._place += 3
        behind = 0
        if flags & _RICH:
            behind += 4 * int(unpack_from("<H", self._parts[self._nth], self._place)[0])
            self._place += 2
        if flags & _EXTENDED:
            behind += int(unpack_from("<I", self._parts[self._nth], self._place)[0])
            self._place += 4
        text = self._characters(length, flags & _WIDE)
        self._skip(behind)
        return text

    def _characters(self, length: int, wide: int) -> str:
        found = []
        while length:
            part = self._parts[self._nth]
            size = 2 if wide else 1
            count = min(length, (len(part) - self._place) // size)
            raw = part[self._place : self._place + count * size]
            # a character beyond the first plane is two halves, which may stand in two records
            found.append(raw if wide else raw.decode("latin-1").encode("utf-16-le"))
            length, self._place = length - count, self._place + count * size
            if length:
                self._next()
                wide, self._place = self._parts[self._nth][0] & _WIDE, 1
        return b"".join(found).decode("utf-16-le", "replace")

    def _skip(self, count: int) -> None:
        while count > len(self._parts[self._nth]) - self._place:
            count -= len(self._parts[self._nth]) - self._place
            self._next()
        self._place += count

    def _next(self) -> None:
        self._nth, self._place = self._nth + 1, 0
