"""Waits for drivers that nobody can interrupt: they run on a thread that is left behind when it takes too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue
from sys import is_finalizing
from threading import Event, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from lagoa.errors import Stopped

T = TypeVar("T")
_TICK = 0.1  # seconds: how late a stop is noticed


@dataclass(frozen=True)
class Patience:
    """How long to wait: until `stopped` is set, or `seconds` have passed without a sign; `late` is raised then."""

    stopped: Event
    seconds: float
    late: Callable[[], Exception]

    def take(self, results: Queue[Any]) -> Any:
        """Wait for the next result. Raises Stopped, or what `late` gives."""
        end = monotonic() + self.seconds
        while True:
            if self.stopped.is_set():
                raise Stopped("LG-503", "the run was stopped")
            try:
                return results.get(timeout=_TICK)
            except Empty:
                if monotonic() >= end:
                    raise self.late() from None


def call(work: Callable[[], T], patience: Patience) -> T:
    """Run work on a thread of its own and wait for it patiently; its error is raised here."""
    results: Queue[tuple[Any, BaseException | None]] = Queue()

    def run() -> None:
        try:
            results.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            results.put((None, error))

    Thread(target=run, daemon=True, name="driver-call").start()
    value, error = patience.take(results)
    if error is not None:
        raise error
    found: T = value
    return found


class Pump(Generic[T]):
    """An iterator whose items are made on a thread of its own, `ahead` of whoever takes them.

    The thread starts with the first item asked for, and runs `make`'s generator to its end or closes it, so that what
    the generator opened is closed by the thread that opened it. `cancel` is called, on yet another thread, when the
    items are not wanted any more while one is being made. `failed` keeps the error that ended the iteration: an
    engine that reads through the Arrow interface hands on its text alone.
    """

    def __init__(
        self,
        make: Callable[[], Iterator[T]],
        patience: Patience,
        cancel: Callable[[], None],
        explain: Callable[[Exception], Exception],
        ahead: int = 1,
    ) -> None:
        self._make, self._patience, self._cancel, self._explain = make, patience, cancel, explain
        self._ready: Queue[tuple[bool, Any]] = Queue(maxsize=ahead)
        self._gone = Event()
        self._thread: Thread | None = None
        self._ended = False
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self.failed is not None:
            raise self.failed
        if self._ended:
            raise StopIteration
        if self._gone.is_set():  # a quiet end here would look like the end of the rows
            raise Stopped("LG-503", "the reading was given up")
        if self._thread is None:
            self._thread = Thread(target=self._run, daemon=True, name="driver-read")
            self._thread.start()
        try:
            more, value = self._patience.take(self._ready)
        except Exception as error:
            self.failed = error
            self.close()
            raise
        if more:
            item: T = value
            return item
        self._ended = True
        if value is None:
            raise StopIteration
        self.failed = self._explain(value)
        raise self.failed from None  # the driver's own words may hold what must not be shown

    def close(self) -> None:
        """Want no more items; returns at once. Safe to call twice, and from any thread."""
        running = self._thread is not None and not self._ended and not self._gone.is_set()
        self._gone.set()
        if running and not is_finalizing():  # no thread begins any more: waiting for its start would never end
            Thread(target=self._cancel, daemon=True, name="driver-cancel").start()

    def _run(self) -> None:
        items: Any = None
        end: tuple[bool, Any] = (False, None)
        try:
            items = self._make()
            for item in items:
                if not self._put((True, item)):
                    break
        except Exception as error:  # noqa: BLE001  # handed to the thread that waits
            end = (False, error)
        finally:
            if items is not None:
                items.close()
        self._put(end)

    def _put(self, item: tuple[bool, Any]) -> bool:
        while not self._gone.is_set():
            try:
                self._ready.put(item, timeout=_TICK)
            except Full:
                continue
            return True
        return False
