"""Streams of bytes that unpack what they read, piece by piece, under a guard."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa

from lagoa.kit.containers.guard import LAYERS, Guard, unsafe

RAW_DEFLATE, GZIP = -15, 31
"""zlib's words for a zip member and for a .gz file."""
_STEP = 1 << 18
_ARROW = {".zst": "zstd", ".bz2": "bz2"}
PACKED = (".gz", *_ARROW)
"""Endings of files that are packed by themselves."""


class Part(io.RawIOBase):
    """`size` bytes of a file from an offset on. Raises EOFError when the file ends before."""

    def __init__(self, raw: IO[bytes], offset: int, size: int) -> None:
        super().__init__()
        self._raw, self._left = raw, size
        raw.seek(offset)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(buffer)[: self._left]
        if not view:
            return 0
        data = self._raw.read(len(view))
        if not data:
            raise EOFError("it ends too early")
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        super().close()


class Inflated(io.RawIOBase):
    """Deflated bytes, unpacked: a .gz of one or more members, or a zip member."""

    def __init__(self, raw: Any, guard: Guard, kind: int = GZIP) -> None:
        super().__init__()
        self._raw, self._guard, self._kind = raw, guard, kind
        self._machine, self._tail = zlib.decompressobj(kind), b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end. Raises EOFError, zlib.error for damaged bytes, SourceError LG-210 for a bomb."""
        view = memoryview(buffer)
        while True:
            if self._machine.eof and not self._next():
                return 0
            data = self._tail or self._take()
            if not data:
                raise EOFError("it ends too early")
            out = self._machine.decompress(data, len(view))
            self._tail = self._machine.unconsumed_tail
            if out:
                view[: len(out)] = out
                self._guard.gave(len(out))
                return len(out)

    def _take(self) -> bytes:
        data: bytes = self._raw.read(_STEP) or b""
        self._guard.took(len(data))
        return data

    def _next(self) -> bool:
        """Go on with the next member of a .gz; zeros after the last one are padding."""
        rest = self._machine.unused_data
        while self._kind == GZIP and not (rest := rest.lstrip(b"\x00")):
            if not (rest := self._take()):
                return False
        if self._kind != GZIP:
            return False
        self._machine, self._tail = zlib.decompressobj(self._kind), rest
        return True

    def close(self) -> None:
        """Close what is read."""
        self._raw.close()
        super().close()


class Checked(io.RawIOBase):
    """Unpacked bytes that must have a given size and CRC-32. Raises OSError at their end when they have not."""

    def __init__(self, raw: Any, size: int, crc: int) -> None:
        super().__init__()
        self._raw, self._size, self._wanted, self._crc = raw, size, crc, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        count: int = self._raw.readinto(buffer)
        self._crc = zlib.crc32(memoryview(buffer)[:count], self._crc)
        self._size -= count
        if self._size < 0 or (not count and (self._size or self._crc != self._wanted)):
            raise OSError("it is not what the archive's directory says")
        return count

    def close(self) -> None:
        """Close what is read."""
        self._raw.close()
        super().close()


class _Tap(io.RawIOBase):
    """Packed bytes on their way to Arrow's decompressor, counted."""

    def __init__(self, raw: Any, guard: Guard) -> None:
        super().__init__()
        self._raw, self._guard = raw, guard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._guard.took(len(data))
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ByArrow(io.RawIOBase):
    """Bytes that Arrow unpacks: Zstandard, which this Python's library does not have, and bzip2."""

    def __init__(self, raw: Any, guard: Guard, codec: str) -> None:
        super().__init__()
        self._tap, self._guard = _Tap(raw, guard), guard
        self._stream = pa.CompressedInputStream(pa.PythonFile(self._tap, mode="r"), codec)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data: bytes = self._stream.read(len(view))
        view[: len(data)] = data
        self._guard.gave(len(data))
        return len(data)

    def close(self) -> None:
        self._stream.close()
        self._tap.close()
        super().close()


def unpacked(name: str, opened: Callable[[], Any]) -> Callable[[], Any]:
    """Return what opens a file's bytes, unpacked as often as its name's endings say. Raises SourceError LG-210."""
    layers = _layers(name)
    if len(layers) > LAYERS:
        raise unsafe(f"{name} is packed more than {LAYERS} times")

    def open_all() -> Any:
        stream = opened()
        for ending in layers:
            guard = Guard(name)
            stream = _ByArrow(stream, guard, _ARROW[ending]) if ending in _ARROW else Inflated(stream, guard)
        return stream

    return open_all


def bare(name: str) -> str:
    """Return a name without the endings that say how it is packed."""
    for ending in _layers(name):
        name = name[: -len(ending)]
    return name


def _layers(name: str) -> list[str]:
    found, rest = [], name.lower()
    while ending := next((e for e in PACKED if rest.endswith(e)), ""):
        found.append(ending)
        rest = rest.removesuffix(ending)
    return found
