"""Reads a text file once, hashing it, as pieces of UTF-8 that end where a record ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Self

from lagoa.errors import SourceError
from lagoa.kit.containers.members import DAMAGED, unreadable
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, open_file, printable

PIECE = 64 << 20
"""Bytes of a piece. A piece is staged by one thread; scratch and memory hold a few of them."""
LONGEST_LINE = 1 << 30
"""Bytes within which a line ends: as much is held in memory at most."""
_STEP = 1 << 20

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Piece:
    """Whole records of a file as UTF-8 (`valid` says whether all of it is), from line number `line` on.

    `last` says that the file ends with them.
    They stand in `buffer[start:end]`, which may be written over once the next piece is asked for.
    """

    buffer: bytes | bytearray
    start: int
    end: int
    line: int
    valid: bool = True
    last: bool = False
    counted: dict[bytes, int] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def view(self) -> memoryview:
        """The bytes, not copied."""
        return memoryview(self.buffer)[self.start : self.end]

    def text(self) -> bytes:
        """Return a copy of the bytes."""
        return bytes(self.view)

    def has(self, mark: bytes) -> bool:
        """Say whether some bytes occur in it."""
        return self.buffer.find(mark, self.start, self.end) >= 0

    def starts(self, mark: bytes) -> bool:
        """Say whether a line of it starts with some bytes."""
        first = self.buffer.startswith(mark, self.start, self.end)
        return first or self.has(b"\n" + mark) or self.has(b"\r" + mark)

    def count(self, mark: bytes) -> int:
        """Count how often some bytes occur in it."""
        # looking for a byte is ten times as fast as counting it
        if mark not in self.counted:
            self.counted[mark] = self.buffer.count(mark, self.start, self.end) if self.has(mark) else 0
        return self.counted[mark]

    def lines(self) -> int:
        """Count its lines that end with LF, and a last one that does not end."""
        ends = self.end > self.start and self.buffer[self.end - 1] != 10
        return self.count(b"\n") + ends

    def line_ends(self) -> int:
        """Count line ends: LF, CRLF and lone CR."""
        returns = self.count(b"\r")
        return self.count(b"\n") + (returns - self.count(b"\r\n") if returns else 0)

    def since(self, offset: int, lines: int) -> Piece:
        """Return what follows its first bytes, which hold some lines."""
        return Piece(self.buffer, self.start + offset, self.end, self.line + lines, self.valid, self.last)

    def until(self, place: int) -> Piece:
        """Return what stands before a place of the buffer."""
        return Piece(self.buffer, self.start, max(self.start, place), self.line, self.valid, self.last)


Cut = Callable[[bytes | bytearray, int, int], int]
"""Says where in `buffer[start:end]` the last whole record ends; `start`: there is none yet."""


def last_line_end(buffer: bytes | bytearray, start: int, end: int) -> int:
    """Cut after the last whole line."""
    found = buffer.rfind(b"\n", start, end) + 1
    # a CR that ends the data may be half of a CRLF
    return found or max(start, buffer.rfind(b"\r", start, end - 1) + 1)


class Opened:
    """A file read once from its start to its end; `digest` is the hash of its bytes on disk as they were read."""

    def __init__(self, found: Found, hashed: bool = True) -> None:
        self.found = found
        self._hash: Any = hashlib.sha256() if hashed and found.pack is None else None
        # what is packed is hashed before it is read: its bytes on disk may hold many files
        self._digest = found.digest() if hashed and found.pack is not None else ""
        try:
            self._raw: Any = found.pack.open() if found.pack else open_file(found.path)
        except DAMAGED as error:
            raise unreadable(printable(found.name), error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def fill(self, view: memoryview) -> int:
        """Fill some memory with unpacked bytes; return how many there were."""
        done = 0
        try:
            while done < len(view):
                count = self._take(view[done : done + _STEP])
                if not count:
                    break
                done += count
        except DAMAGED as error:
            raise unreadable(printable(self.found.name), error) from error
        return done

    def _take(self, view: memoryview) -> int:
        count = self._raw.readinto(view) or 0
        if self._hash is not None:
            self._hash.update(view[:count])
        return count

    @property
    def digest(self) -> str:
        """Return the hash of what was read, as hexadecimal text."""
        return self._digest or str(self._hash.hexdigest())

    def changed(self) -> bool:
        """Say whether the file on disk is another one than when it was found."""
        return self.found.grew() or (bool(self._digest) and self.found.digest() != self._digest)


def unpack(found: Found, into: Path) -> None:
    """Write a file's bytes, unpacked, into a file of ours."""
    memory = memoryview(bytearray(_STEP))
    with Opened(found, hashed=False) as opened, into.open("wb") as file:
        while count := opened.fill(memory):
            file.write(memory[:count])


def pieces(
    opened: Opened, decoder: Decoder, cut: Cut, size: int = PIECE, longest: int = LONGEST_LINE
) -> Iterator[Piece]:
    """Yield a file's pieces; each is good until the next one is asked for.

    Raises SourceError LG-202 when no record ends within `longest` bytes.
    """
    # touching fresh memory costs more than reading into it: one buffer serves all pieces
    buffer = bytearray(min(size, opened.found.size + 1) if opened.found.exact else size)
    fill: Callable[[memoryview], int] = opened.fill
    start = end = 0
    line, ended, first = 1, False, True
    while not ended or start < end:
        if not ended:
            if end - start >= longest:
                raise SourceError(
                    "LG-202",
                    f"{printable(opened.found.name)} cannot be read: no record ends within {longest >> 20} MB",
                    hint="deliver each record on a line of its own; JSON as NDJSON",
                )
            buffer, end = _room(buffer, start, end)
            with memoryview(buffer) as view:
                count = fill(view[end:])
            ended, start, end = end + count < len(buffer), 0, end + count
        if first:
            first, start = False, decoder.strip(bytes(buffer[: min(4, end)]))
            if decoder.streams():
                fill, start, end, ended = decoder.stream(bytes(buffer[start:end]), opened.fill), 0, 0, False
                continue
        stop = end if ended else cut(buffer, start, end)
        if stop == start:
            continue
        piece = Piece(buffer, start, stop, line, last=ended and stop == end)
        yield piece if decoder.streams() else _decoded(piece, decoder)
        line += piece.line_ends()
        start = stop


def _decoded(piece: Piece, decoder: Decoder) -> Piece:
    data, valid = decoder.utf8(piece.view)
    if data is None:
        return replace(piece, valid=valid)
    return Piece(data, 0, len(data), piece.line, valid, piece.last)


def _room(buffer: bytearray, start: int, end: int) -> tuple[bytearray, int]:
    """Move what is left to the front; double the buffer when that is all of it."""
    left = end - start
    if start:
        buffer[:left] = buffer[start:end]
    elif left:
        buffer = buffer + bytearray(len(buffer))
    return buffer, left


class Scratch:
    """Scratch files of a private folder, used again: writing over a file costs a seventh of making one (measured)."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._free, self._made, self._lock = folder, list[Path](), 0, Lock()

    def write(self, *parts: Bytes) -> Path:
        """Write bytes into a scratch file and return it."""
        with self._lock:
            path = self._free.pop() if self._free else None
            if path is None:
                self._made += 1
                path = self._folder / f"piece-{self._made}"
        with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[file.write(view) :]
            file.truncate(sum(map(len, parts)))
        return path

    def free(self, *paths: Path) -> None:
        """Let scratch files be written over."""
        with self._lock:
            self._free += paths
