"""A driver that hangs is left behind; what it had begun is cancelled, and no end of rows is made up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Event

import pytest

from lagoa.errors import Stopped
from lagoa.kit.patience import Patience, Pump, call


class LateError(Exception):
    """Raised when nothing came."""


def patience(seconds: float = 5, stopped: Event | None = None) -> Patience:
    return Patience(stopped or Event(), seconds, LateError)


def pump(make: object, given: Patience, cancelled: Event | None = None) -> Pump[int]:
    assert callable(make)
    return Pump(make, given, (cancelled or Event()).set, lambda error: ValueError(f"explained: {error}"))


def hanging(released: Event) -> Iterator[int]:
    yield 1
    released.wait(20)


def test_a_call_returns_its_value_or_raises_its_error() -> None:
    assert call(lambda: 7, patience()) == 7
    with pytest.raises(ZeroDivisionError):
        call(lambda: 1 / 0, patience())


def test_a_call_that_takes_too_long_is_left_behind() -> None:
    released = Event()
    with pytest.raises(LateError):
        call(lambda: released.wait(20), patience(0.2))
    released.set()


def test_a_stop_is_noticed_while_waiting() -> None:
    stopped, released = Event(), Event()
    stopped.set()
    began = time.monotonic()
    with pytest.raises(Stopped):
        call(lambda: released.wait(20), patience(20, stopped))
    assert time.monotonic() - began < 5
    released.set()


def test_items_come_in_order_and_end() -> None:
    pumped = pump(lambda: iter_closing(range(100)), patience())
    assert list(pumped) == list(range(100))
    assert next(pumped, None) is None
    assert pumped.failed is None


def iter_closing(numbers: range, closed: Event | None = None) -> Iterator[int]:
    try:
        yield from numbers
    finally:
        if closed is not None:
            closed.set()


def test_an_error_is_explained_and_kept() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("torn")

    pumped = pump(broken, patience())
    assert next(pumped) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="explained: torn") as caught:
            next(pumped)
        assert caught.value is pumped.failed
        assert caught.value.__cause__ is None


def test_silence_cancels_and_raises() -> None:
    released, cancelled = Event(), Event()
    pumped = pump(lambda: hanging(released), patience(0.2), cancelled)
    assert next(pumped) == 1
    with pytest.raises(LateError):
        next(pumped)
    assert cancelled.wait(5)
    released.set()


def test_closing_early_closes_the_generator_on_its_own_thread_and_never_looks_like_the_end() -> None:
    closed = Event()
    pumped = pump(lambda: iter_closing(range(1_000_000), closed), patience())
    assert next(pumped) == 0
    pumped.close()
    pumped.close()
    assert closed.wait(5)
    with pytest.raises(Stopped):
        list(pumped)


def test_nothing_starts_before_the_first_item_is_asked_for() -> None:
    started = Event()

    def make() -> Iterator[int]:
        started.set()
        yield 1

    pumped = pump(make, patience())
    pumped.close()
    assert not started.is_set()


def test_only_a_few_items_are_made_ahead() -> None:
    made: list[int] = []

    def counting() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            yield n

    pumped = pump(counting, patience())
    assert next(pumped) == 0
    Event().wait(0.3)
    assert len(made) <= 3
    pumped.close()


def test_what_nobody_closed_does_not_hold_up_the_end_of_the_process() -> None:
    """What the modules held is dropped when no thread can start any more: Python would wait for its start for ever."""
    ended = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, timeout=20, check=True)
    assert ended.stdout == b"closed", ended.stderr


ENDING = """
import os, sys
from itertools import count
from threading import Event
from types import ModuleType
from lagoa.kit.patience import Patience, Pump

class Held(ModuleType):
    def __del__(self, write=os.write):
        self.pump.close()
        write(1, b"closed")

pump = Pump(lambda: (n for n in count()), Patience(Event(), 60, TimeoutError), lambda: None, lambda e: e)
assert next(pump) == 0
held = sys.modules["held"] = Held("held")
held.pump = pump
del held
"""
