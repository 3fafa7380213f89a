"""What is new is read by its cursor, once; a reading that stopped goes on where it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lagoa.errors import SourceError
from lagoa.kit.http.mark import Mark
from lagoa.testing.web import Asked, Reply, Web

from .conftest import Read, numbered, refusal, rest

KEYED: dict[str, Any] = {"mode": "merge", "key": "id", "paging": {"by": "page"}, "parallel": 1}


def many(web: Web, count: int = 500, size: int = 2) -> list[dict[str, Any]]:
    rows = [{"id": n, "at": f"2024-01-{1 + n // 50:02}T00:00:00Z"} for n in range(count)]
    web.route("/rows", numbered(rows, size))
    return rows


# ---------------------------------------------------------------- what is new
def test_the_cursor_goes_into_the_parameter_that_asks_for_news(web: Web, read: Read) -> None:
    rows = [{"id": 1, "updatedAt": "2024-01-01T10:00:00Z"}, {"id": 2, "updatedAt": "2024-01-01T11:30:00+01:00"}]
    web.route("/rows", lambda _: rows)
    said = {"mode": "merge", "key": "id", "cursor": "updatedAt", "params": {"since": "{cursor}", "all": True}}
    first = read(rest(web, **said))
    assert first.cursor == {"cursor": "updatedat", "value": "2024-01-01T11:30:00+01:00", "kind": "time"}
    read(rest(web, **said, lag="1h"), since=first.cursor)
    assert [a.query for a in web.asked] == [
        {"all": "true"},
        {"since": "2024-01-01T10:30:00+01:00", "all": "true"},
    ]


def test_the_first_reading_may_have_a_start(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": 7}])
    said = {"mode": "append", "cursor": "id", "start": 5, "params": {"filter": "id>={cursor}"}, "lag": 2}
    first = read(rest(web, **said))
    read(rest(web, **said), since=first.cursor)
    assert [a.query["filter"] for a in web.asked] == ["id>=5", "id>=5"]


def test_the_cursor_stands_in_a_body_too(web: Web, read: Read) -> None:
    web.route("/run", lambda _: {"rows": [{"day": "2024-03-01"}]})
    body = {"dateRanges": [{"startDate": "{cursor}", "endDate": "today"}], "keep": True}
    said = {"path": "/run", "method": "POST", "body": body, "records": "$.rows", "start": "2024-01-01", "lag": "3d"}
    first = read(rest(web, mode="merge", key="day", cursor="day", **said))
    read(rest(web, mode="merge", key="day", cursor="day", **said), since=first.cursor)
    assert [a.json()["dateRanges"][0]["startDate"] for a in web.asked] == ["2024-01-01", "2024-02-27"]


def test_rows_below_the_window_are_passed_over_and_told(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": n} for n in range(10)])
    source = rest(web, mode="append", cursor="id")
    first = read(source)
    web.route("/rows", lambda _: [{"id": n} for n in range(12)])
    assert [row["id"] for row in read(source, since=first.cursor, held=first).rows] == [10, 11]


def test_big_numbers_keep_their_order(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": 9007199254740993}, {"id": 9007199254740992}, {"id": 10}])
    assert read(rest(web, mode="append", cursor="id")).cursor["value"] == "9007199254740993"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": 1}, {"x": 2}], "a record has no `id`"),
        ([{"id": 1}, {"id": None}], "a record has no `id`"),
        ([{"id": 1}, {"id": "b"}], "now a text and now a number"),
        ([{"id": {"a": 1}}], "so it is no cursor"),
        ([{"id": True}], "so it is no cursor"),
    ],
)
def test_a_cursor_that_cannot_be_one_is_refused(web: Web, tmp_path: Path, rows: list[Any], said: str) -> None:
    web.route("/rows", lambda _: rows)
    error = refusal(rest(web, mode="append", cursor="id"), tmp_path)
    assert error.code == "LG-207"
    assert said in error.message


def test_a_merge_reads_records_without_a_cursor_each_time(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": 1, "at": 5}, {"id": 2}])
    source = rest(web, mode="merge", key="id", cursor="at")
    first = read(source)
    assert len(first.rows) == 2
    assert len(read(source, since=first.cursor).rows) == 2


def test_another_cursor_is_not_compared_with_the_old_one(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": 1, "at": 5}])
    first = read(rest(web, mode="merge", key="id", cursor="at"))
    with pytest.raises(SourceError, match="the cursor is now `id`"):
        read(rest(web, mode="merge", key="id", cursor="id"), since=first.cursor)


@pytest.mark.parametrize(
    ("text", "lag", "earlier"),
    [
        ("2024-03-01", timedelta(days=1), "2024-02-29"),
        ("2024-03-01", timedelta(hours=1), "2024-02-29"),
        ("2024-03-01T00:00:00Z", timedelta(minutes=1), "2024-02-29T23:59:00Z"),
        ("2024-03-01 00:00:00.5", timedelta(minutes=1), "2024-02-29 23:59:00.500000"),
        ("2024-03-01T00:00:00-03:00", timedelta(minutes=1), "2024-02-29T23:59:00-03:00"),
    ],
)
def test_a_lag_keeps_the_spelling(text: str, lag: timedelta, earlier: str) -> None:
    mark = Mark.of(text, "at")
    assert mark is not None
    assert mark.less(lag).text == earlier


@pytest.mark.parametrize(("value", "lag"), [("abc", 1), (5, timedelta(days=1)), ("2024-01-01", 5)])
def test_a_lag_that_does_not_fit_is_refused(value: Any, lag: Any) -> None:
    mark = Mark.of(value, "at")
    assert mark is not None
    with pytest.raises(SourceError, match="does not fit"):
        mark.less(lag)


@pytest.mark.parametrize(
    "said",
    [
        {"mode": "append"},
        {"mode": "replace", "cursor": "id"},
        {"params": {"since": "{cursor}"}},
        {"lag": 5},
        {"format": "csv", "mode": "append", "cursor": "id"},
        {"body": {"a": 1}},
        {"records": "data"},
        {"records": "$..x"},
        {"error_if": ["error"]},
        {"paging": {"by": "cursor"}},
        {"paging": {"by": "link", "param": "p"}},
        {"paging": {"by": "page", "send": "body"}},
        {"format": "ndjson", "records": "$.a"},
        {"path": "/{a.id}/{b.id}"},
    ],
)
def test_what_does_not_go_together_is_refused(web: Web, said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rows"):
        rest(web, **said)


# ---------------------------------------------------------------- where it stopped
@pytest.mark.parametrize("by", ["page", "offset", "cursor", "next"])
@pytest.mark.parametrize("mode", ["merge", "append"])
def test_a_list_that_breaks_in_the_middle_goes_on_where_it_was_committed(
    web: Web, read: Read, by: str, mode: str
) -> None:
    rows = many(web)
    broken = True

    def answer(asked: Asked) -> Any:
        start = int(asked.query.get("offset") or asked.query.get("cursor") or 2 * (int(asked.query.get("page", 1)) - 1))
        if broken and start >= 300:
            return Reply({}, 418)
        more = start + 2 < len(rows)
        return {
            "d": rows[start : start + 2],
            "c": str(start + 2) if more else None,
            "u": f"?cursor={start + 2}" if more else None,
        }

    web.route("/rows", answer)
    nexts = {"cursor": {"next": "$.c"}, "next": {"next": "$.u"}}.get(by, {})
    said = {"mode": mode, "key": "id", "cursor": "at", "records": "$.d", "paging": {"by": by, **nexts}, "parallel": 2}
    source = rest(web, **said)
    landed = first_part(read, source)
    assert sorted(r["id"] for r in landed.rows) == list(range(200))
    assert "value" not in landed.cursor
    assert landed.cursor["sweep"]["value"] == rows[199]["at"]
    broken, before = False, len(web.asked)
    rest_of_it = read(source, since=landed.cursor, held=landed)
    assert sorted(r["id"] for r in rest_of_it.rows) == list(range(200, 500))
    assert len(web.asked) - before <= 150 + 4
    assert rest_of_it.cursor == {"cursor": "at", "value": rows[-1]["at"], "kind": "time"}


def first_part(read: Read, source: Any) -> Any:
    """Read up to the error, and keep what the batches before it gave."""
    from lagoa.testing.sources import Landed, Reader

    kept: list[Landed] = []
    real = Reader.stage

    def stage(self: Reader, portion: Any, batch: Any, landed: Landed) -> None:
        real(self, portion, batch, landed)
        landed.cursor, landed.schema = batch.cursor(), batch.schema
        if landed not in kept:
            kept.append(landed)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(SourceError, match="status 418"):
        patched.setattr(Reader, "stage", stage)  # what was staged before the error
        read(source)
    whole = Landed(kept[-1].schema, cursor=kept[-1].cursor)
    for landed in kept:
        whole.rows += landed.rows
    return whole


def test_a_place_that_the_server_forgot_is_not_asked_for_twice(web: Web, read: Read) -> None:
    rows = many(web, 30)
    source = rest(web, **KEYED)
    sign = "x"

    def answer(asked: Asked) -> Any:
        return Reply({"message": "gone"}, 410) if asked.query["page"] == "99" else numbered(rows, 2)(asked)

    web.route("/rows", answer)
    read(source)
    at = {"n": 99, "rows": 196, "page": 99}
    sweep = {"of": signed(source, web), "at": at}
    state = {"cursor": None, "sweep": sweep}
    assert len(read(source, since=state).rows) == 30
    assert web.asked[-17].query["page"] == "99"
    sweep["of"] = sign
    count = len(web.asked)
    assert len(read(source, since=state).rows) == 30
    assert web.asked[count].query["page"] == "1"


def signed(source: Any, web: Web) -> str:
    from threading import Event

    from lagoa.kit.http.client import Client
    from lagoa.kit.http.guard import Guard
    from lagoa.kit.http.limits import Limits
    from lagoa.kit.http.sweep import Sweep

    client = Client(web.url, Guard(True), Limits(), Event())
    return Sweep(client, source.url, source.streams, Path()).identity("rows")


def test_a_budget_ends_a_merge_and_the_next_run_goes_on(web: Web, read: Read) -> None:
    many(web)
    source = rest(web, **KEYED, max_requests=60)
    state, rows, runs = None, [], 0
    while runs < 10:
        landed = read(source, since=state)
        state, runs = landed.cursor, runs + 1
        rows += [row["id"] for row in landed.rows]
        if "sweep" not in state:
            break
    assert sorted(rows) == list(range(500))
    assert runs == 5


def test_children_go_on_after_the_last_parent_that_was_done(web: Web, read: Read) -> None:
    web.route("/a", lambda _: [{"id": n} for n in range(250)])
    broken = True

    def answer(asked: Asked) -> Any:
        n = int(asked.path.rpartition("/")[2])
        return Reply({}, 418) if broken and n > 180 else [{"id": n * 10}, {"id": n * 10 + 1}]

    web.route("/a/*", answer)
    streams = {"a": {"path": "/a"}, "rows": {"path": "/a/{a.id}", "mode": "merge", "key": "id"}}
    source = rest(web, streams=streams)
    landed = first_part(read, source)
    assert landed.cursor["sweep"]["at"] == {"parent": {"id": 99}}
    broken, before = False, len(web.asked)
    again = read(source, since=landed.cursor)
    assert len(again.rows) == 300
    assert 151 <= len(web.asked) - before <= 155, "what the first reading had under way may still arrive"
    assert "sweep" not in again.cursor
