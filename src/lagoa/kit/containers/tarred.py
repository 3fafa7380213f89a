"""The members of a tar archive, packed or not, read in one go from its start to its end."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lagoa.kit.containers.entry import Entry
from lagoa.kit.containers.guard import MEMBERS, unsafe
from lagoa.kit.containers.streams import Part, unpacked

_BLOCK, _LONGEST = 512, 1 << 20
_REGULAR, _FOLDER, _PAX, _NAME, _NAMELESS = b"0\x007", b"5", b"x", b"L", b"gK"


class Tape:
    """The unpacked bytes of a tar archive, where going on is cheap and going back starts anew."""

    def __init__(self, opened: Callable[[], Any]) -> None:
        self._opened, self._stream, self.place, self.turn = opened, None, 0, 0

    def __del__(self) -> None:
        self.close()

    def at(self, place: int) -> int:
        """Go to a place; return the number of this turn: the last one alone may read on."""
        if self._stream is None or place < self.place:
            self.close()
            self._stream, self.place = self._opened(), 0
        skipped = memoryview(bytearray(min(1 << 20, max(1, place - self.place))))
        while self.place < place:
            if not self.fill(skipped[: place - self.place]):
                raise EOFError("it ends too early")
        self.turn += 1
        return self.turn

    def fill(self, view: memoryview) -> int:
        """Fill some memory from here on; 0 at the end."""
        stream: Any = self._stream
        count: int = stream.readinto(view)
        self.place += count
        return count

    def read(self, size: int) -> bytes:
        """Read bytes, fewer at the end."""
        view = memoryview(bytearray(size))
        done = 0
        while done < size and (count := self.fill(view[done:])):
            done += count
        return bytes(view[:done])

    def close(self) -> None:
        """Close the archive."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None


class _Window(io.RawIOBase):
    """A member's bytes on the tape."""

    def __init__(self, tape: Tape, offset: int, size: int) -> None:
        super().__init__()
        self._tape, self._left, self._turn = tape, size, tape.at(offset)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._turn != self._tape.turn:
            raise OSError("another member of the archive is being read")
        view = memoryview(buffer)[: self._left]
        if not view:
            return 0
        count = self._tape.fill(view)
        if not count:
            raise EOFError("it ends too early")
        self._left -= count
        return count


def entries(path: Path, name: str, packed: bool) -> Generator[Entry]:
    """Yield the archive's members, in their order. Raises OSError, EOFError, SourceError LG-210."""
    # what is not packed is read at once where it stands
    tape = Tape(unpacked(name, partial(path.open, "rb")) if packed else partial(path.open, "rb", buffering=0))
    try:
        for count, (member, kind, size, offset) in enumerate(_headers(tape)):
            if count >= MEMBERS:
                raise unsafe(f"{name} has more than {MEMBERS:,} members")
            opened = partial(_Window, tape, offset, size) if packed else partial(_part, path, offset, size)
            if kind != _FOLDER and not (kind in _REGULAR and member.endswith("/")):
                yield Entry(member, size, opened, link=kind not in _REGULAR)
    finally:
        tape.close()


def _part(path: Path, offset: int, size: int) -> Part:
    return Part(path.open("rb"), offset, size)


def _headers(tape: Tape) -> Iterator[tuple[str, bytes, int, int]]:
    """Yield name, kind, size and offset of each member."""
    place, extra = 0, dict[str, str]()
    while True:
        tape.at(place)
        block = tape.read(_BLOCK)
        if len(block) < _BLOCK:
            raise EOFError("it ends too early")
        if not block.strip(b"\x00"):
            return
        kind, size = block[156:157], _number(block[124:136])
        if _number(block[148:156]) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
            raise OSError("it is no whole tar archive (a header's checksum is wrong)")
        data = place + _BLOCK
        if kind in _NAMELESS or kind in (_PAX, _NAME):
            if size > _LONGEST:
                raise unsafe(f"a header of the archive has {size:,} bytes")
            extra |= _extra(kind, tape.read(size))
        else:
            size = int(extra.get("size", size))
            if any(key.startswith("GNU.sparse") for key in extra) or kind == b"S":
                raise OSError("it holds a sparse file, which is not read")
            yield extra.get("path") or _name(block), kind, size, data
            extra = {}
        place = data + -(-size // _BLOCK) * _BLOCK


def _name(block: bytes) -> str:
    name, prefix = (block[a:b].partition(b"\x00")[0].decode("utf-8", "replace") for a, b in ((0, 100), (345, 500)))
    return f"{prefix}/{name}" if prefix and block[257:262] == b"ustar" and block[262:263] != b" " else name


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=True)
        return value & ((1 << (8 * len(field) - 1)) - 1)
    text = field.strip(b" \x00")
    if text and not text.isdigit():
        raise OSError("it is no tar archive (a header's number is none)")
    return int(text or b"0", 8)


def _extra(kind: bytes, data: bytes) -> dict[str, str]:
    if kind == _NAME:
        return {"path": data.partition(b"\x00")[0].decode("utf-8", "replace")}
    found = {}
    while kind == _PAX and data:
        length, _, rest = data.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(data):
            raise OSError("it is no whole tar archive (a header is damaged)")
        key, _, value = rest[: int(length) - len(length) - 2].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        data = data[int(length) :]
    return found
