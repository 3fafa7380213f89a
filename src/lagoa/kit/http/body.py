"""Receives a body: unpacked within bounds, whole or not at all."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import IO

_STEP = 1 << 16
_UNPACKED = 1 << 20


class Unusable(Exception):
    """A body that was not received as the server announced it; `again` says that asking again may help."""

    def __init__(self, message: str, again: bool = True) -> None:
        super().__init__(message)
        self.again = again


def receive(response: HTTPResponse, sink: IO[bytes], limit: int) -> int:
    """Write the body into `sink`, unpacked; return how many bytes came over the line. Raises Unusable, OSError."""
    raw = _Raw(response)
    size = 0
    for part in _unpacked(raw, response.headers.get("Content-Encoding", "")):
        size += len(part)
        if size > limit:
            raise Unusable(f"is larger than {limit:,} bytes", again=False)
        sink.write(part)
    if response.length:  # http.client takes the end of the connection for the end of the body
        raise Unusable(f"ended {response.length:,} bytes before its announced length")
    return raw.received


class _Raw:
    """The bytes as they come, counted."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response, self.received = response, 0

    def __iter__(self) -> Iterator[bytes]:
        while part := self._response.read1(_STEP):
            self.received += len(part)
            yield part


def _unpacked(raw: _Raw, encoding: str) -> Iterator[bytes]:
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        yield from raw
        return
    if kind not in ("gzip", "x-gzip", "deflate"):
        raise Unusable(f"is packed as `{kind[:20]}`, which was not asked for", again=False)
    try:
        yield from _inflated(raw, kind == "deflate")
    except zlib.error as error:
        raise Unusable(f"cannot be unpacked: {error}") from None


def _inflated(raw: _Raw, deflate: bool) -> Iterator[bytes]:
    """Unpack piece by piece, so that a small body cannot become a large memory."""
    unpacker, ended = None, True
    for part in raw:
        data, more = part, True
        while data or more:
            if unpacker is None or unpacker.eof:
                unpacker = zlib.decompressobj(_bits(data, deflate))
            found = unpacker.decompress(data, _UNPACKED)
            yield found
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            more = len(found) == _UNPACKED and not unpacker.eof
        ended = unpacker is None or unpacker.eof
    if not ended:
        raise Unusable("ended before its packed data did")


def _bits(data: bytes, deflate: bool) -> int:
    """Tell zlib what comes: some servers send bare deflate for `deflate`."""
    if not deflate:
        return 16 + zlib.MAX_WBITS
    zlibs = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] * 256 + data[1]) % 31 == 0)
    return zlib.MAX_WBITS if zlibs else -zlib.MAX_WBITS
