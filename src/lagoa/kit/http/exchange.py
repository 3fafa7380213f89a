"""One request and its answer over a connection to an address that was checked; connections are kept and used again."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import ECONNABORTED
from http.client import HTTPConnection, HTTPMessage, RemoteDisconnected
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from lagoa.kit.http.body import Unusable, receive
from lagoa.kit.http.guard import Guard
from lagoa.kit.http.url import Address

_ERROR_BODY = 1 << 16
"""Bytes of an error's body that are received; nobody reads more of it."""


@dataclass(frozen=True)
class Request:
    """What is asked. `into` makes the file that takes a body that may be large; None: it stays in memory."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    into: Callable[[], Path] | None = None
    name: str = ""
    """What messages call it, instead of its URL."""


@dataclass
class Answer:
    """What came back, its body unpacked in `body` or in the file `path`; `received` counts bytes on the line."""

    url: str
    status: int
    headers: HTTPMessage
    body: bytes = b""
    path: Path | None = None
    received: int = 0

    def header(self, name: str) -> str:
        """Return a header's value, '' when it is not there."""
        return str(self.headers.get(name, ""))


class Connection(HTTPConnection):
    """A connection that asks the guard where it may go. `silence`: seconds without a byte that are borne."""

    def __init__(self, address: Address, guard: Guard, connect: float, silence: float) -> None:
        super().__init__(address.host, address.port, timeout=connect)
        # the standard ports are not named in `Host:`
        self.default_port = 443 if address.scheme == "https" else 80
        self.address, self._guard, self._silence = address, guard, silence
        self.used = self._over = False

    def connect(self) -> None:
        """Connect to the first checked address that answers. Raises OSError, SourceError LG-211."""
        failure: OSError | None = None
        for family, place in self._guard.addresses(self.address.host, self.address.port):
            line = socket.socket(family, socket.SOCK_STREAM)
            self.sock = line
            try:
                line.settimeout(self.timeout)
                line.connect(place)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.address.scheme == "https":
                    self.sock = line = _context().wrap_socket(line, server_hostname=self.address.host)
                if self._over:  # whoever gave it up saw no socket, or another one
                    raise ConnectionAbortedError(ECONNABORTED, "the connection was given up")
                line.settimeout(self._silence)
            except OSError as error:
                line.close()
                failure = error
                continue
            return
        self.sock = None
        raise failure or OSError("the name has no address")

    def abort(self) -> None:
        """Make whoever waits on this connection, or is about to open it, fail at once; safe from any thread."""
        self._over = True
        line = self.sock
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


_contexts: list[ssl.SSLContext] = []


def _context() -> ssl.SSLContext:
    if not _contexts:
        _contexts.append(ssl.create_default_context())
    return _contexts[0]


class Pool:
    """Connections that are open and idle, by origin. Safe for threads."""

    def __init__(self, guard: Guard, connect: float, silence: float) -> None:
        self._guard, self._connect, self._silence = guard, connect, silence
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._lock = Lock()
        self._closed = False

    def take(self, address: Address, fresh: bool = False) -> Connection:
        """Return a connection that nobody else uses until `give` or `drop`."""
        with self._lock:
            idle = None if fresh else next((c for c in self._idle if c.address.origin == address.origin), None)
            if idle is not None:
                self._idle.remove(idle)
            found = idle or Connection(address, self._guard, self._connect, self._silence)
            self._busy.add(found)
            return found

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            self._busy.discard(connection)
            if not self._closed and connection.sock is not None:
                self._idle.append(connection)
                return
        connection.close()

    def drop(self, connection: Connection) -> None:
        """Give up a connection, also while another thread waits on it."""
        with self._lock:
            self._busy.discard(connection)
        connection.abort()
        connection.close()

    def close(self) -> None:
        """Close what is idle, and make those who wait on a connection fail."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.abort()


def exchange(connection: Connection, request: Request, headers: Mapping[str, str], limit: int) -> Answer:
    """Send a request and receive its answer. Raises OSError, HTTPException, Unusable, SourceError LG-211."""
    address = Address.parse(request.url)
    again = connection.used and connection.sock is not None
    connection.used = True
    try:
        connection.request(request.method, address.target, request.body, dict(headers))
        response = connection.getresponse()
    except (RemoteDisconnected, ConnectionError, BrokenPipeError) as error:
        if again:  # an idle connection may be closed at any moment
            raise Stale from error
        raise
    answer = Answer(request.url, response.status, response.headers)
    with _sink(request, answer) as sink:
        try:
            answer.received = receive(response, sink, limit if answer.status < 400 else _ERROR_BODY)
        except Unusable:
            connection.close()
            if answer.status < 400:
                raise
        if answer.path is None:
            answer.body = sink.getvalue()
    response.close()
    if response.will_close:
        connection.close()
    return answer


class Stale(Exception):
    """An idle connection turned out to be closed."""


def _sink(request: Request, answer: Answer) -> Any:
    if request.into is None or answer.status >= 300:
        return BytesIO()
    answer.path = request.into()
    return answer.path.open("wb")
