"""Reads a text file once, hashing it, as pieces of UTF-8 that end where a record ends."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self

from lagoa.errors import SourceError
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found

PIECE = 64 << 20
"""Bytes of a piece. A piece is staged by one thread; scratch and memory hold a few of them."""


@dataclass(frozen=True)
class Piece:
    """Whole records of a file as UTF-8 (`valid` says whether all of it is), from line number `line` on."""

    data: bytes
    line: int
    valid: bool = True


def line_ends(data: bytes) -> int:
    """Count line ends: LF, CRLF and lone CR."""
    returns = data.count(b"\r")
    return data.count(b"\n") + (returns - data.count(b"\r\n") if returns else 0)


def last_line_end(data: bytes) -> int:
    """Return where the last whole line ends; 0: there is none."""
    end = data.rfind(b"\n") + 1
    # a CR that ends the data may be half of a CRLF
    return end or data.rfind(b"\r", 0, len(data) - 1) + 1


class Opened:
    """A file read once from its start to its end; `digest` is the hash of its bytes as they were read."""

    def __init__(self, found: Found, hashed: bool = True) -> None:
        self.found = found
        self._hash: Any = hashlib.sha256() if hashed else None
        try:
            self._raw = found.path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(found, error.strerror or "it cannot be opened") from error
        self._zip: gzip.GzipFile | None = None
        if found.name.lower().endswith(".gz"):
            self._zip = gzip.GzipFile(fileobj=io.BufferedReader(_Tap(self._raw_read)), mode="rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, unpacked when it is a .gz file; b"" at the end."""
        try:
            return self._zip.read(size) if self._zip is not None else self._raw_read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(self.found, str(error)) from error

    def _raw_read(self, size: int) -> bytes:
        data = self._raw.read(size) or b""
        if self._hash is not None:
            self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        """Return the hash of what was read, as hexadecimal text."""
        return str(self._hash.hexdigest())

    def size_now(self) -> int:
        """Return the file's size at this moment."""
        return self.found.path.stat().st_size


class _Tap(io.RawIOBase):
    """A file for gzip whose bytes are hashed on their way."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def pieces(opened: Opened, decoder: Decoder, cut: Callable[[bytes], int], size: int = PIECE) -> Iterator[Piece]:
    """Yield a file's pieces. `cut` says where the last whole record of some UTF-8 ends; 0: more is needed."""
    read: Callable[[int], bytes] = opened.read
    line, rest, ended, first = 1, b"", False, True
    while not ended or rest:
        if not ended:
            wanted = size - len(rest) if len(rest) < size else size
            more = _fill(read, wanted)
            ended, rest = len(more) < wanted, rest + more
        if first:
            first, rest = False, rest[decoder.strip(rest) :]
            if decoder.streams():
                read, rest, ended = decoder.stream(_after(rest, opened.read)), b"", False
                continue
        end = len(rest) if ended else cut(rest)
        if end == 0:
            continue
        raw, rest = rest[:end], rest[end:]
        data, valid = (raw, True) if decoder.streams() else decoder.utf8(raw)
        yield Piece(data, line, valid)
        line += line_ends(raw)


def _after(first: bytes, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    waiting = [first]
    return lambda size: waiting.pop() if waiting else read(size)


def _fill(read: Callable[[int], bytes], size: int) -> bytes:
    """Read exactly `size` bytes, fewer only at the end."""
    parts, left = [], size
    while left > 0 and (part := read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _unreadable(found: Found, why: str) -> SourceError:
    return SourceError("LG-202", f"{found.name} cannot be read: {why}")


class Scratch:
    """Scratch files of a private folder, used again: writing over a file costs a seventh of making one (measured)."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._free, self._made, self._lock = folder, list[Path](), 0, Lock()

    def write(self, *parts: bytes) -> Path:
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

    def free(self, path: Path) -> None:
        """Let a scratch file be written over."""
        with self._lock:
            self._free.append(path)
