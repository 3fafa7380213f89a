"""Lists come in pages of many kinds; each gives every row once, in bounded time, with as many requests as it needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lagoa.ports import Reading
from lagoa.testing.web import Asked, Reply, Web

from .conftest import ROWS, Read, numbered, refusal, rest

IDS = [row["id"] for row in ROWS]


def ids(landed: Any) -> list[int]:
    return sorted(row["id"] for row in landed.rows)


def after(asked: Asked) -> dict[str, Any]:
    start = int(asked.query.get("cursor", 0))
    last = start + 5 >= len(ROWS)
    return {"data": ROWS[start : start + 5], "meta": {"next": None if last else str(start + 5)}}


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("by", ["page", "offset"])
def test_numbered_pages_are_read_until_one_is_empty(web: Web, read: Read, by: str, parallel: int) -> None:
    web.route("/rows", numbered(ROWS, 5))
    landed = read(rest(web, paging={"by": by}, parallel=parallel))
    assert ids(landed) == IDS
    assert len(web.asked) <= 7 + parallel


def test_offsets_move_by_what_came_when_the_server_gives_fewer_than_asked(web: Web, read: Read) -> None:
    web.route("/rows", lambda asked: ROWS[int(asked.query["offset"]) :][:3])
    assert ids(read(rest(web, paging={"by": "offset", "size": 10, "size_param": "limit"}))) == IDS
    assert [a.query["offset"] for a in web.asked[:3]] == ["0", "3", "6"]


def test_offsets_that_were_foreseen_wrongly_are_read_again(web: Web, read: Read) -> None:
    sizes = {0: 5, 5: 4, 9: 5, 14: 5, 19: 5}
    web.route("/rows", lambda a: ROWS[int(a.query["offset"]) :][: sizes.get(int(a.query["offset"]), 5)])
    assert ids(read(rest(web, paging={"by": "offset"}, parallel=4))) == IDS


def test_the_total_says_where_to_end(web: Web, read: Read) -> None:
    answer = numbered(ROWS, 5)
    web.route("/rows", lambda asked: {"items": answer(asked), "pages": 5, "total": str(len(ROWS))})
    paging = {"by": "page", "total_pages": "$.pages"}
    assert ids(read(rest(web, paging=paging, records="$.items"))) == IDS
    assert len(web.asked) == 5
    assert ids(read(rest(web, paging={"by": "page", "total_rows": "$.total"}, records="$.items"))) == IDS
    assert len(web.asked) == 10


def test_a_word_in_the_body_says_that_there_is_more(web: Web, read: Read) -> None:
    answer = numbered(ROWS, 5)
    web.route("/rows", lambda a: {"items": answer(a), "has_more": int(a.query["page"]) < 5})
    assert ids(read(rest(web, paging={"by": "page", "more": "$.has_more"}, records="$.items", parallel=1))) == IDS
    assert len(web.asked) == 5


def test_a_mark_in_the_body_is_repeated(web: Web, read: Read) -> None:
    web.route("/rows", after)
    landed = read(rest(web, paging={"by": "cursor", "next": "$.meta.next", "size": 5}, records="$.data"))
    assert ids(landed) == IDS
    assert [a.query.get("cursor") for a in web.asked] == [None, "5", "10", "15", "20"]
    assert {a.query["limit"] for a in web.asked} == {"5"}


@pytest.mark.parametrize(
    "link", ["{url}/rows?cursor={n}&kept=%C3%A7", "/rows?cursor={n}&kept=%C3%A7", "?cursor={n}&kept=%C3%A7"]
)
def test_the_next_url_stands_in_the_body_whole_or_not(web: Web, read: Read, link: str) -> None:
    def answer(asked: Asked) -> Any:
        found = after(asked)
        n = found["meta"]["next"]
        return {"data": found["data"], "next": n and link.format(url=web.url, n=n)}

    web.route("/rows", answer)
    landed = read(rest(web, paging={"by": "next", "next": "$.next"}, records="$.data", params={"q": "a b"}))
    assert ids(landed) == IDS
    assert web.asked[0].query == {"q": "a b"}
    assert [a.query.get("kept") for a in web.asked] == [None, "ç", "ç", "ç", "ç"]


def test_the_next_url_stands_in_the_header_link(web: Web, read: Read) -> None:
    def answer(asked: Asked) -> Reply:
        found = after(asked)
        n = found["meta"]["next"]
        links = f'<{web.url}/rows?cursor=0>; rel="first"' + (
            f', </rows?cursor={n}>; title="a, b"; rel="next"' if n else ""
        )
        return Reply(found["data"], headers={"Link": links})

    web.route("/rows", answer)
    assert ids(read(rest(web, paging={"by": "link"}))) == IDS
    assert len(web.asked) == 5


def test_pages_of_a_post_stand_in_its_body(web: Web, read: Read) -> None:
    def answer(asked: Asked) -> Any:
        said = asked.json()
        return {"rows": ROWS[said["offset"] :][: said["limit"]], "rowCount": len(ROWS), "said": said}

    web.route("/run", answer)
    paging = {"by": "offset", "size": 10, "send": "body", "total_rows": "$.rowCount"}
    said = {"path": "/run", "method": "POST", "body": {"dims": ["a"]}, "records": "$.rows", "paging": paging}
    assert ids(read(rest(web, **said))) == IDS
    asked = sorted((a.json() for a in web.asked), key=lambda said: said["offset"])  # pages are asked for side by side
    assert asked[:2] == [{"dims": ["a"], "limit": 10, "offset": o} for o in (0, 10)]


def test_pages_are_asked_for_at_once_within_bounds_and_land_in_order(web: Web, read: Read) -> None:
    rows = [{"id": n} for n in range(200)]
    web.delay = 0.03
    web.route("/rows", numbered(rows, 5))
    landed = read(rest(web, paging={"by": "page"}, parallel=3))
    assert ids(landed) == list(range(200))
    assert web.at_once == 3
    assert [row["_source"] for row in landed.rows][:6] == [
        f"{web.url}/rows#{p}:{n}" for p, n in [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1)]
    ]


def test_pages_are_asked_for_while_others_are_published_and_no_more_than_two_batches(web: Web, tmp_path: Path) -> None:
    web.route("/rows", numbered([{"id": n} for n in range(200)], 5))
    source = rest(web, mode="merge", key="id", paging={"by": "page"}, parallel=1, commit_pages=4)
    batches = source.read(Reading("rows", None, tmp_path, tmp_path, "bronze.rows"))
    next(batches)
    end = time.monotonic() + 20
    while len(web.asked) < 12 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(web.asked) == 12
    del batches


# ---------------------------------------------------------------- lists that do not end, or lie
@pytest.mark.parametrize("parallel", [1, 4])
def test_a_server_that_does_not_know_the_parameter_gives_the_same_page_for_ever(
    web: Web, tmp_path: Path, parallel: int
) -> None:
    web.route("/rows", lambda _: ROWS)
    error = refusal(rest(web, paging={"by": "page"}, parallel=parallel), tmp_path)
    assert "page 2 holds the same records as page 1" in error.message
    assert len(web.asked) <= 2 + parallel


@pytest.mark.parametrize("period", [1, 2, 3])
def test_next_links_in_a_circle_are_found(web: Web, tmp_path: Path, period: int) -> None:
    def answer(asked: Asked) -> Any:
        n = int(asked.query.get("n", 0))
        return {"data": [{"id": asked.nth}], "next": f"?n={(n + 1) % period}"}

    web.route("/rows", answer)
    error = refusal(rest(web, records="$.data", paging={"by": "next", "next": "$.next"}), tmp_path)
    assert error.code == "LG-202"
    assert "does not end" in error.message
    assert len(web.asked) <= period + 4


def test_endless_empty_pages_are_not_believed(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: {"data": [], "next": str(a.nth)})
    error = refusal(rest(web, records="$.data", paging={"by": "cursor", "next": "$.next"}), tmp_path)
    assert "100 pages in a row are empty" in error.message


def test_fewer_rows_than_the_server_says_are_an_error(web: Web, tmp_path: Path) -> None:
    answer = numbered(ROWS, 5)
    web.route("/rows", lambda a: {"data": answer(a), "total": 30})
    error = refusal(rest(web, records="$.data", paging={"by": "page", "total_rows": "$.total"}), tmp_path)
    assert "there are 30 rows, and gave 23" in error.message
    assert error.retry


def test_endless_new_pages_end_with_the_budget(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: [{"id": a.nth}])
    error = refusal(rest(web, paging={"by": "page"}, max_requests=30), tmp_path)
    assert "budget is used up after 30 requests" in error.message
    assert len(web.asked) == 30
    error = refusal(rest(web, paging={"by": "page"}, max_bytes=1000, parallel=1), tmp_path)
    assert "bytes (`max_bytes:`)" in error.message
    assert "before all pages were read" in error.message


def test_a_page_that_is_no_list_is_an_error(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: ROWS if a.query["page"] == "1" else {"id": 1, "message": "over"})
    error = refusal(rest(web, paging={"by": "page"}), tmp_path)
    assert "there is no list at `$`" in error.message


# ---------------------------------------------------------------- children
def test_a_child_is_asked_for_each_row_of_its_parent_and_carries_its_fields(web: Web, read: Read) -> None:
    orders = [{"id": n, "Code": f"a/{n}"} for n in range(1, 8)]
    web.route("/orders", numbered(orders, 3))
    web.route("/orders/*", lambda a: [{"sku": f"{a.path}-{i}"} for i in range(int(a.path[-1]) % 3)])
    streams = {
        "orders": {"path": "/orders", "paging": {"by": "page"}},
        "items": {"path": "/orders/{orders.id}/items/{orders.Code}"},
    }
    landed = read(rest(web, streams=streams), "items")
    asked = {a.path for a in web.asked if a.path.startswith("/orders/")}
    assert asked == {f"/orders/{n}/items/a%2F{n}" for n in range(1, 8)}
    for row in landed.rows:
        assert row["orders_code"] == f"a/{row['orders_id']}"
        assert row["sku"].startswith(f"/orders/{row['orders_id']}/items")


def test_grandchildren_are_asked_by_the_fields_that_children_carry(web: Web, read: Read) -> None:
    web.route("/a", lambda _: [{"id": 1}, {"id": 2}])
    web.route("/a/*", lambda a: [{"nr": 7}, {"nr": 8}] if a.path.endswith("/b") else [{"x": a.path}])
    streams = {"a": {"path": "/a"}, "b": {"path": "/a/{a.id}/b"}, "c": {"path": "/a/{b.a_id}/b/{b.nr}/c"}}
    landed = read(rest(web, streams=streams), "c")
    assert sorted(row["x"] for row in landed.rows) == [f"/a/{n}/b/{m}/c" for n in (1, 2) for m in (7, 8)]
    assert {(row["b_a_id"], row["b_nr"]) for row in landed.rows} == {(1, 7), (1, 8), (2, 7), (2, 8)}


def test_children_that_have_none_may_answer_404(web: Web, read: Read, tmp_path: Path) -> None:
    web.route("/a", lambda _: [{"id": 1}, {"id": 2}, {"id": None}])
    web.route("/a/1", lambda _: [{"x": 1}])
    streams = {"a": {"path": "/a"}, "b": {"path": "/a/{a.id}", "empty_on": [404]}}
    assert [row["x"] for row in read(rest(web, streams=streams), "b").rows] == [1]
    strict = {"a": {"path": "/a"}, "b": {"path": "/a/{a.id}"}}
    assert refusal(rest(web, streams=strict), tmp_path, "b").code == "LG-203"


def test_personal_fields_of_a_parent_do_not_show_in_the_source(web: Web, read: Read, tmp_path: Path) -> None:
    web.route("/people", lambda _: [{"cpf": "11144477735"}])
    web.route("/people/*", lambda _: [{"x": 1}])
    streams = {
        "people": {"path": "/people", "columns": {"cpf": {"pii": "cpf"}}},
        "b": {"path": "/people/{people.cpf}/b"},
    }
    assert read(rest(web, streams=streams), "b").rows[0]["_source"] == f"{web.url}/people/***/b#1:1"
    web.route("/people/*", lambda _: Reply(b"<html>", headers={"Content-Type": "text/html"}))
    assert "11144477735" not in refusal(rest(web, streams=streams), tmp_path, "b").message


def test_a_parent_that_is_not_there_and_a_circle_are_refused(web: Web) -> None:
    with pytest.raises(ValueError, match="which is no stream"):
        rest(web, streams={"b": {"path": "/a/{a.id}"}})
    with pytest.raises(ValueError, match="leads back to itself"):
        rest(web, streams={"a": {"path": "/b/{b.id}"}, "b": {"path": "/a/{a.id}"}})
