"""How long and how much is borne: time-outs, repeats, budgets, and the pace of requests."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from threading import Event, Lock

from lagoa.errors import Stopped

_FIRST, _LONGEST = 0.5, 60.0
"""Seconds of the first pause before a repeat, and of the longest."""
_TICK = 0.1
"""Seconds after which a stop is noticed."""


@dataclass(frozen=True)
class Limits:
    """What one reading may take; times in seconds, sizes in bytes."""

    connect: float = 10.0
    silence: float = 60.0
    total: float = 600.0
    retries: int = 5
    longest_wait: float = 300.0
    requests: int = 100_000
    bytes: int | None = None
    page: int = 64 << 20
    rate: float | None = None


class Spent(Exception):
    """A budget is used up; the message says which."""


class Ending(Event):
    """Set when the run is stopped, or by itself when nobody wants an answer any more."""

    def __init__(self, stopped: Event) -> None:
        super().__init__()
        self._stopped = stopped

    def is_set(self) -> bool:
        """Say whether waiting must end."""
        return super().is_set() or self._stopped.is_set()


class Pace:
    """Counts what was asked and received, and lets nobody ask too soon. Safe for threads."""

    def __init__(self, limits: Limits, ending: Ending, first: float = _FIRST) -> None:
        self._limits, self._ending, self._first = limits, ending, first
        self._lock = Lock()
        self._next = self._quiet = 0.0
        self.asked = 0
        self.received = 0

    def ask(self) -> None:
        """Wait for a turn and take it. Raises Spent, Stopped."""
        with self._lock:
            if self.asked >= self._limits.requests:
                raise Spent(f"{self.asked:,} requests (`max_requests:`)")
            if self._limits.bytes is not None and self.received >= self._limits.bytes:
                raise Spent(f"{self.received:,} bytes (`max_bytes:`)")
            self.asked += 1
            now = time.monotonic()
            turn = max(now, self._quiet, self._next if self._limits.rate else now)
            if self._limits.rate:
                self._next = turn + 1 / self._limits.rate
        self.sleep(turn - now)

    def took(self, size: int) -> None:
        """Count bytes that came over the line."""
        with self._lock:
            self.received += size

    def pause(self, attempt: int, told: float | None) -> None:
        """Wait before a repeat: as long as the server said, else longer each time, and never all at once."""
        jitter = random.uniform(0.5, 1.0)  # noqa: S311  # spreads requests, guards nothing
        seconds = min(_LONGEST, self._first * 2**attempt) * jitter
        if told is not None:
            seconds = told + min(seconds, 1.0)
            with self._lock:
                self._quiet = max(self._quiet, time.monotonic() + told)
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep, but end at once when the run is stopped or nobody wants the answer. Raises Stopped."""
        end = time.monotonic() + seconds
        while not self._ending.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _TICK))
        raise Stopped("LG-503", "the run was stopped")


def told_to_wait(headers: Message) -> float | None:
    """Read `Retry-After`: seconds, or a date, measured by the server's own clock where it tells the time."""
    text = str(headers.get("Retry-After", "")).strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError):
        return None
    try:
        now = parsedate_to_datetime(str(headers.get("Date"))).timestamp()
    except (ValueError, TypeError, IndexError):
        now = time.time()
    return max(0.0, until - now)
