"""A web server of this machine that a test tells what to answer, and how to lie."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    nth: int
    """How many requests came before it."""

    def json(self) -> Any:
        """Return its body as a value."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered. A body that is not bytes is written as JSON.

    `fault`: `cut` closes the connection after `after` bytes of the body, `stall` sends no more and keeps it open,
    `drip` sends one byte at a time, `mute` says nothing at all. `length` is announced instead of the true one.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Literal["cut", "stall", "drip", "mute"] | None = None
    after: int = 0
    length: int | None = None

    def payload(self) -> bytes:
        """Return the bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()


Answering = Callable[[Asked], Any]
"""Answers a request with a Reply, or with what is its body."""


class Web:
    """A server at `url`; what it does not know it answers with 404. `asked` holds every request that came.

    `delay` is how many seconds it takes for each answer, `at_once` the most that it worked on at one moment.
    """

    def __init__(self, host: str = "127.0.0.1", delay: float = 0.0) -> None:
        self.routes: dict[str, Answering] = {}
        self.asked: list[Asked] = []
        self.delay, self.at_once, self._now = delay, 0, 0
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self._server = _Server((host, 0), _Handler)
        self._server.web = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def route(self, path: str, answering: Answering) -> None:
        """Say what is answered at a path; one that ends with `*` stands for all that begin alike."""
        self.routes[path] = answering

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Make the answer to a request."""
        parts = urlsplit(target)
        with self._lock:
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            asked = Asked(method, parts.path, query, headers, body, len(self.asked))
            self.asked.append(asked)
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            time.sleep(self.delay)
            found = self._route(parts.path)(asked)
        finally:
            with self._lock:
                self._now -= 1
        return found if isinstance(found, Reply) else Reply(found)

    def _route(self, path: str) -> Answering:
        if path in self.routes:
            return self.routes[path]
        starts = [r for r in self.routes if r.endswith("*") and path.startswith(r[:-1])]
        return self.routes[max(starts, key=len)] if starts else lambda _: Reply({"message": "not here"}, 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    web: Web

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that go away are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    server: _Server

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.server.web.answer(self.command, self.path, dict(self.headers.items()), body)
        with contextlib.suppress(OSError):
            self._send(reply)

    do_GET = do_POST = _any

    def _send(self, reply: Reply) -> None:
        if reply.fault == "mute":
            self.server.web.ended.wait()
            return
        payload = reply.payload()
        self.send_response(reply.status)
        given = {"Content-Type": "application/json", **reply.headers}
        if "Transfer-Encoding" not in given:
            given["Content-Length"] = str(len(payload) if reply.length is None else reply.length)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        self._body(reply, payload)

    def _body(self, reply: Reply, payload: bytes) -> None:
        if reply.fault is None:
            self.wfile.write(payload)
            self.close_connection |= reply.length is not None
            return
        self.wfile.write(payload[: reply.after])
        self.wfile.flush()
        if reply.fault == "stall":
            self.server.web.ended.wait()
        for place in range(reply.after, len(payload) if reply.fault == "drip" else 0):
            self.wfile.write(payload[place : place + 1])
            self.wfile.flush()
            if self.server.web.ended.wait(0.05):
                break
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
