"""Events reach every listener in order, clean of secrets, whatever a listener does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lagoa.kit.redact import Redactor
from lagoa.observe.events import KINDS, Event, Events


def test_a_listener_that_raises_harms_nobody() -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise OSError("disk full")

    events = Events("r", Redactor())
    events.listen(broken)
    events.listen(heard.append)
    events.emit("note", text="hello")
    assert [e.data for e in heard] == [{"text": "hello"}]


def test_secrets_leave_every_depth_of_an_event() -> None:
    heard: list[Event] = []
    events = Events("r", Redactor(["canary-1"]))
    events.listen(heard.append)
    events.emit("step.failed", "gold.x", message="canary-1", more=[{"canary-1": ("canary-1", Path("/canary-1"))}])
    assert "canary-1" not in heard[0].to_json()
    assert heard[0].data == {"message": "***", "more": [{"***": ["***", "/***"]}]}


def test_what_is_not_json_becomes_text() -> None:
    heard: list[Event] = []
    events = Events("r", Redactor(), now=lambda: datetime(2026, 11, 20, 6, 14, tzinfo=UTC))
    events.listen(heard.append)
    events.emit("note", amount=Decimal("1.50"), when=datetime(2026, 1, 1, tzinfo=UTC), ok=True, none=None, n=2)
    assert heard[0].data == {
        "amount": "1.50",
        "when": "2026-01-01T00:00:00+00:00",
        "ok": True,
        "none": None,
        "n": 2,
    }
    assert Event.from_json(heard[0].to_json()) == heard[0]


def test_threads_are_heard_one_at_a_time() -> None:
    heard: list[Event] = []
    events = Events("r", Redactor())
    events.listen(heard.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: events.emit("note", n=n), range(500)))
    assert sorted(e.data["n"] for e in heard) == list(range(500))
    assert [e.at for e in heard] == sorted(e.at for e in heard)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not a kind of event"):
        Events("r", Redactor()).emit("step.exploded")


def test_every_kind_is_documented() -> None:
    import lagoa.observe.events as module

    rows = [line.split("|")[1].strip() for line in (module.__doc__ or "").splitlines() if line.startswith("| ")]
    assert set(rows) - {"kind"} == KINDS
