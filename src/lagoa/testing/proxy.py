"""A TCP proxy that fails on purpose: it cuts connections, or lets them stall, after so many bytes."""

from __future__ import annotations

import contextlib
import socket
from threading import Event, Thread
from typing import Literal, Self

_CHUNK = 65536


class FaultyProxy:
    """Forwards connections on `port` to another port of this machine, until `fault` says otherwise.

    `after` counts the bytes of each connection that came from the server. `cut` closes the connection there,
    `stall` keeps it open and forwards nothing any more, as a firewall does that lost its state.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._fault: tuple[Literal["cut", "stall"], int] | None = None
        self._ended = Event()
        self.faults = 0
        """How often a connection was cut or stalled."""

    def fail(self, how: Literal["cut", "stall"], after: int) -> None:
        """Let every connection fail, those that are open included."""
        self._fault = (how, after)

    def heal(self) -> None:
        """Let new connections live."""
        self._fault = None

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            Thread(target=self._forward, args=(client, server, False), daemon=True).start()
            Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                passed += len(data)
                if watched and self._fault is not None and passed > self._fault[1]:
                    self.faults += 1
                    if self._fault[0] == "stall":
                        self._ended.wait()
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
