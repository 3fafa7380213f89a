"""One switch that stops a run: what waits looks at it, what computes is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import sleep

from lagoa.errors import Stopped
from lagoa.ports import Session

_AGAIN = 0.05
"""Seconds until sessions are interrupted again that were between two statements, where an interrupt is lost."""


class Stop:
    """Set once; sessions that are being watched are interrupted until they are let go."""

    def __init__(self) -> None:
        self.event = Event()
        self._lock = Lock()
        self._sessions: list[Session] = []

    def set(self) -> None:
        """Stop everything; safe from any thread and from a signal handler."""
        if not self.event.is_set():
            self.event.set()
            Thread(target=self._interrupt, name="stop", daemon=True).start()

    def _interrupt(self) -> None:
        while self._sessions:
            with self._lock:  # none is let go, and closed, while it is interrupted
                for session in self._sessions:
                    session.interrupt()
            sleep(_AGAIN)

    def check(self) -> None:
        """Raise Stopped when the switch is set."""
        if self.event.is_set():
            raise Stopped("LG-503", "the run was stopped")

    def wait(self, seconds: float) -> None:
        """Sleep, but raise Stopped at once when the switch is set."""
        self.event.wait(seconds)
        self.check()

    @contextmanager
    def watch(self, session: Session) -> Iterator[Session]:
        """Interrupt the session when the switch is set while it is in use."""
        with self._lock:
            self._sessions.append(session)
        try:
            self.check()
            yield session
        finally:
            with self._lock:
                self._sessions.remove(session)
