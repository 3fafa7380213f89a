"""A server that answers and lies, and what reads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from lagoa import registry
from lagoa.errors import SourceError
from lagoa.ports import Reading, Source
from lagoa.testing.sources import Landed, Reader
from lagoa.testing.web import Asked, Web

FAST: dict[str, Any] = {
    "connect_timeout": "2s",
    "read_timeout": "1s",
    "total_timeout": "3s",
    "retries": 0,
    "commit_pages": 100,
}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


def rest(web: Web, **said: Any) -> Source:
    """A source over the server, whose streams are given by name, or one stream `rows` by its keys."""
    options = {name: said.pop(name) for name in list(said) if name in OPTIONS}
    streams = said.pop("streams", None) or {"rows": {"path": "/rows", **said}}
    found: Source = registry.adapter("sources", "rest").model_validate(
        {"type": "rest", "url": web.url, "allow_private": True, **FAST, **options, "streams": streams}
    )
    return found


OPTIONS = {
    *("url", "auth", "headers", "parallel", "rate", "retries", "allow_private", "max_requests", "max_bytes"),
    *("page_bytes", "longest_wait", "read_timeout", "total_timeout", "connect_timeout", "commit_pages"),
}


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path


Read = Callable[..., Landed]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Read a stream as a run does: `read(source, stream, since, held)`."""
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")

    def reads(source: Source, stream: str = "rows", since: Any = None, held: Landed | None = None) -> Landed:
        return Reader(source, tmp_path, engine, tmp_path / "scratch").read(stream, since, held)

    try:
        yield reads
    finally:
        engine.close()


def refusal(source: Source, tmp_path: Path, stream: str = "rows", stopped: Event | None = None) -> SourceError:
    """Read, and return the error."""
    reading = Reading(stream, None, tmp_path, tmp_path, f"bronze.test_{stream}", stopped=stopped or Event())
    with pytest.raises(SourceError) as caught:
        for batch in source.read(reading):
            list(batch.portions)
    assert caught.value.hint
    return caught.value


def numbered(rows: list[Any], size: int) -> Callable[[Asked], Any]:
    """Give rows by `page` (from 1), or by `offset`."""

    def answer(asked: Asked) -> Any:
        start = int(asked.query.get("offset", (int(asked.query.get("page", 1)) - 1) * size))
        return rows[start : start + int(asked.query.get("limit", size))]

    return answer


ROWS = [{"id": n, "name": f"row {n}"} for n in range(1, 24)]
