"""Records of one length without line ends, as mainframes write them, given line ends; binary fields become hex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lagoa.kit.fixed.slots import Slot
from lagoa.kit.landing import Found
from lagoa.kit.pieces import Opened

_READ = 1 << 20
_HEX = b"0123456789abcdef"


class Framed(Opened):
    """A file of records of `length` bytes.

    Each is read as a line: its bytes, blanks where binary fields stand, then those fields' bytes as hexadecimal digits,
    in the order of `binary`. A line end inside a record becomes the control character 0x01, which no text holds.
    """

    def __init__(self, found: Found, length: int, encoding: str, binary: Sequence[Slot] = ()) -> None:
        super().__init__(found)
        self._length, self._binary = length, binary
        self._end, self._blank = "\n".encode(encoding), " ".encode(encoding)
        self._digits = self._marked = bytes(range(256))
        if len("\x01".encode(encoding)) == 1:
            self._digits = bytes.maketrans(_HEX, _HEX.decode().upper().encode(encoding))
            self._marked = bytes.maketrans("\r\n".encode(encoding), "\x01\x01".encode(encoding))
        self._ready, self._raw_part = bytearray(), bytearray(max(1, _READ // length) * length)

    def fill(self, view: memoryview) -> int:
        """Fill some memory with records and the ends that are put after them."""
        while len(self._ready) < len(view):
            count = super().fill(memoryview(self._raw_part))
            whole = count - count % self._length
            if whole:
                self._ready += self._lines(bytes(self._raw_part[:whole]))
            if whole < count:
                # what is left of a torn file is shorter than any record, and so refused
                self._ready += bytes(self._raw_part[whole:count]).translate(self._marked) + self._end
            if count < len(self._raw_part):
                break
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        del self._ready[:count]
        return count

    def _lines(self, data: bytes) -> memoryview:
        count = len(data) // self._length
        raw = _records(data, self._length)
        text = _records(data.translate(self._marked), self._length)
        parts = [*self._texts(text), *(self._hex(raw, slot, count) for slot in self._binary)]
        lines = pc.binary_join_element_wise(*parts, self._end, b"")
        return memoryview(lines.buffers()[2])[
            : len(data) + count * (len(self._end) + sum(map(hex_width, self._binary)))
        ]

    def _texts(self, records: pa.Array) -> Iterator[pa.Array | bytes]:
        """Yield the text of records, in parts between binary fields, which are blank."""
        place = 0
        for start, end in _united(self._binary):
            if start > place:
                yield pc.binary_slice(records, place, start).cast(pa.binary())
            yield self._blank * (end - start)
            place = end
        if place < self._length:
            yield pc.binary_slice(records, place, self._length).cast(pa.binary())

    def _hex(self, records: pa.Array, slot: Slot, count: int) -> pa.Array:
        cut = pc.binary_slice(records, slot.start - 1, slot.end)
        digits = cut.buffers()[1].to_pybytes()[: count * slot.width].hex().encode().translate(self._digits)
        return _records(digits, hex_width(slot)).cast(pa.binary())


def hex_width(slot: Slot) -> int:
    """Return how many characters a binary field takes at the end of its line."""
    return 2 * slot.width


def _records(data: bytes, length: int) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(length), len(data) // length, [None, pa.py_buffer(data)])


def _united(slots: Sequence[Slot]) -> Iterator[tuple[int, int]]:
    """Yield where binary fields stand, as places from 0; fields that overlap (redefinitions) are one."""
    held: tuple[int, int] | None = None
    for slot in sorted(slots, key=lambda s: s.start):
        start, end = slot.start - 1, slot.end
        if held is not None and start <= held[1]:
            held = held[0], max(held[1], end)
            continue
        if held is not None:
            yield held
        held = start, end
    if held is not None:
        yield held
