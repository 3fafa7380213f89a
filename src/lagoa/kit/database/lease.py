"""A connection that is opened by its first user and closed by its last, never under another thread's feet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any


class Lease:
    """Holds one connection. A driver that is left inside a call when its connection is closed may end the process."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._connection: Any = None
        self._users = 0
        self._closed = False
        self._lock = Lock()

    @contextmanager
    def used(self) -> Iterator[Any]:
        """Give the connection, opened if it is not yet. Raises ConnectionError when it was given up."""
        with self._lock:
            if self._closed:
                raise ConnectionError("the connection was given up")
            self._users += 1
        try:
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection
        finally:
            self._leave()

    def interrupted(self, interrupt: Callable[[Any], None]) -> None:
        """Interrupt what runs in the connection, if it is open."""
        with self._lock:
            connection = self._connection
            if connection is None:
                return
            self._users += 1
        try:
            with suppress(Exception):  # it may have ended by itself
                interrupt(connection)
        finally:
            self._leave()

    def close(self) -> None:
        """Close the connection, at once or as soon as nobody is inside the driver any more."""
        with self._lock:
            self._closed = True
            self._users += 1
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            done = self._closed and self._users == 0
            connection = self._connection if done else None
            self._connection = None if done else self._connection
        if connection is not None:
            with suppress(Exception):  # a connection that is gone cannot say goodbye
                connection.close()
