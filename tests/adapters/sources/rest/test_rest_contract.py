"""The rest source passes the suite that every source passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lagoa.ports import Source
from lagoa.testing.sources import SourceContract
from lagoa.testing.web import Asked, Reply, Web

from .conftest import rest

CANARY = "rest-canary-91"
STREAMS: dict[str, Any] = {
    "orders": {
        "path": "/orders",
        "paging": {"by": "page"},
        "mode": "append",
        "cursor": "id",
        "params": {"from": "{cursor}"},
        "columns": {"amount": {"type": "decimal(12, 2)"}},
    },
    "events": {"path": "/events", "paging": {"by": "offset"}, "mode": "append", "key": "id", "cursor": "at"},
    "people": {
        "path": "/people",
        "mode": "merge",
        "key": "id",
        "columns": {"notes": {"drop": True}},
        "records": "$.data",
    },
    "items": {"path": "/orders/{orders.id}/items"},
    "lines": {"path": "/lines", "format": "ndjson"},
    "report": {"path": "/report", "format": "csv"},
}


class TestRest(SourceContract):
    secrets = (CANARY,)
    page = Path(__file__).resolve().parents[4] / "docs/reference/rest.md"
    in_batches = ("events",)

    @pytest.fixture
    def held(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "orders": [{"id": 1, "amount": "1.50"}, {"id": 2, "amount": "2.50"}, {"id": 2, "amount": "much"}],
            "events": [{"id": n, "at": f"2024-01-0{n}T00:00:00Z"} for n in (1, 2, 3)],
            "people": [{"id": 1, "name": "Ana", "notes": CANARY}, {"id": 2, "name": "Zoë", "notes": CANARY}],
        }

    @pytest.fixture
    def served(self, web: Web, held: dict[str, Any]) -> Iterator[Web]:
        def orders(asked: Asked) -> Any:
            new = [row for row in held["orders"] if row["id"] >= int(asked.query.get("from", 0))]
            return new[2 * (int(asked.query["page"]) - 1) :][:2]

        web.route("/orders", orders)
        web.route("/events", lambda a: held["events"][int(a.query["offset"]) :][:2])
        web.route("/people", lambda _: {"data": held["people"]})
        web.route("/orders/*", lambda a: [{"of": a.path}])
        web.route("/lines", lambda _: Reply(b'{"id": 1}\n{"id": 2\n'))
        web.route("/report", lambda _: Reply(b"id,x\n1,a\n2\n", headers={"Content-Type": "text/csv"}))
        return iter([web])

    @pytest.fixture
    def source(self, served: Iterator[Web]) -> Source:
        return rest(
            next(served), auth={"bearer": CANARY}, headers={"X-Tenant": CANARY}, streams=STREAMS, commit_pages=1
        )

    @pytest.fixture
    def grow(self, held: dict[str, Any]) -> Callable[[str], None]:
        news = {
            "orders": [{"id": 2, "amount": "2.50"}, {"id": 3, "amount": "3.50"}],
            "events": [{"id": 4, "at": "2024-01-03T00:00:00Z"}],
            "people": [{"id": 3, "name": "João", "notes": CANARY}],
        }
        return lambda stream: held[stream].extend(news[stream])

    @pytest.fixture
    def broken(self, web: Web) -> list[Source]:
        web.route("/no", lambda a: Reply({"message": f"not you, {a.headers.get('Authorization')}"}, 403))
        web.route("/html", lambda _: Reply(b"<html>", headers={"Content-Type": "text/html"}))
        web.route("/cut", lambda _: Reply([1, 2, 3], fault="cut", after=2))
        streams = {name: {"path": f"/{name}"} for name in ("no", "html", "cut", "nowhere")}
        said: dict[str, Any] = {"auth": {"bearer": CANARY}, "streams": streams}
        return [
            rest(web, **said),
            rest(web, **said, allow_private=False),
            rest(web, **said, url="http://127.0.0.1:1"),
            rest(web, **said, url="http://no-such-host.invalid"),
        ]
