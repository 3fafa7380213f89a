"""Answers of every kind are read exactly, and what is no answer is never taken for one."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import Message
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from lagoa.errors import Stopped
from lagoa.kit.http.limits import told_to_wait
from lagoa.ports import Reading
from lagoa.testing.web import Asked, Reply, Web

from .conftest import ROWS, Read, refusal, rest


def packed(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


DATA = json.dumps(ROWS).encode()
PACKED = {
    "gzip": packed(DATA, 31),
    "x-gzip": packed(DATA, 31),
    "deflate": packed(DATA, 15),
    "Deflate": packed(DATA, -15),
    "GZIP": gzip.compress(DATA[:50]) + gzip.compress(DATA[50:]),
}


# ---------------------------------------------------------------- exact values
def test_numbers_keep_their_digits_and_types_are_decided_over_all_pages(web: Web, read: Read) -> None:
    pages = [
        b'[{"id": 9007199254740993, "price": 0.1, "note": null, "tags": ["a"], "at": {"x": 1}}]',
        b'[{"id": 2, "price": 10, "big": 123456789012345678901234567890, "exact": 1.2345678901234567890}]',
        b"[]",
    ]
    web.route("/rows", lambda a: Reply(pages[int(a.query["page"]) - 1]))
    one, two = read(rest(web, paging={"by": "page"}, columns={"price": {"type": "decimal(20, 2)"}})).rows
    assert (one["id"], one["price"], one["note"], one["tags"], one["at"]) == (
        9007199254740993,
        Decimal("0.10"),
        None,
        ["a"],
        {"x": 1},
    )
    assert (two["big"], two["exact"]) == ("123456789012345678901234567890", "1.2345678901234567890")


def test_a_value_that_is_no_number_goes_to_quarantine_with_its_place(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: [{"id": "7"}, {"id": "much"}])
    landed = read(rest(web, columns={"id": {"type": "bigint"}, "gone": {"type": "date"}}))
    assert [row["id"] for row in landed.rows] == [7]
    assert landed.refused[0]["_reason"] == 'id: "much" is not a bigint'
    assert landed.refused[0]["_source"] == f"{web.url}/rows#1:2"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.data.items", {"data": {"items": ROWS, "more": 1}, "x": []}),
        ("$['the rows']", {"the rows": ROWS}),
        ("$[*].rows", [{"rows": ROWS[:9]}, {"rows": []}, {"rows": ROWS[9:]}]),
        ("$.a[*].b[*].c", {"a": [{"b": [{"c": ROWS[:4]}, {"c": ROWS[4:]}]}, {"b": []}]}),
        ("$.by.*", {"by": {row["name"]: row for row in ROWS}}),
        ("$", ROWS),
    ],
)
def test_records_stand_at_a_path(web: Web, read: Read, path: str, body: Any) -> None:
    web.route("/rows", lambda _: body)
    assert [row["id"] for row in read(rest(web, records=path)).rows] == [row["id"] for row in ROWS]


def test_an_object_is_one_record_and_null_is_none(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: {"id": 1})
    assert [row["id"] for row in read(rest(web)).rows] == [1]
    web.route("/rows", lambda _: {"data": None})
    assert read(rest(web, records="$.data")).rows == []
    web.route("/rows", lambda _: {"data": [None, {"id": 1}, None]})
    assert [row["id"] for row in read(rest(web, records="$.data")).rows] == [1]
    web.route("/rows", lambda _: {"data": [None, {"value": None}, {"value": 2}]})
    assert [row["value"] for row in read(rest(web, records="$.data")).rows] == [None, 2]


def test_lines_of_json_are_records_and_wrong_ones_are_set_aside(web: Web, read: Read) -> None:
    body = b'{"id": 1}\n\n{"id": 2\n{"id": 3, "x": 1}\n\xff\n[4]'
    web.route("/rows", lambda _: Reply(body, headers={"Content-Type": "application/x-ndjson"}))
    landed = read(rest(web, format="ndjson"))
    assert [row["id"] for row in landed.rows if row["id"]] == [1, 3]
    assert landed.rejects == 2
    assert [row["value"] for row in landed.rows if row["value"]] == [[4]]


def test_csv_is_read_as_files_read_it(web: Web, read: Read) -> None:
    body = "id;preço;dia\r\n1;1.234,50;31/12/2023\r\n2;x;\r\n".encode("latin-1")
    web.route("/rows", lambda _: Reply(body, headers={"Content-Type": "text/csv; charset=iso-8859-1"}))
    source = rest(
        web,
        format="csv",
        delimiter=";",
        decimal=",",
        thousands=".",
        date_format="%d/%m/%Y",
        columns={"preço": {"type": "decimal(12, 2)"}, "dia": {"type": "date"}},
    )
    landed = read(source)
    assert [(row["id"], str(row["preço"]), str(row["dia"])) for row in landed.rows] == [("1", "1234.50", "2023-12-31")]
    assert landed.refused[0]["_source"] == f"{web.url}/rows#1:3"


def test_pages_of_csv_end_with_one_that_has_its_header_alone(web: Web, read: Read) -> None:
    def answer(asked: Asked) -> Reply:
        n = int(asked.query["page"])
        return Reply(b"id\n" + b"".join(b"%d\n" % (n * 10 + i) for i in range(3 if n < 4 else 0)), headers=csv)

    csv = {"Content-Type": "text/csv"}
    web.route("/rows", answer)
    assert len(read(rest(web, format="csv", paging={"by": "page"})).rows) == 9


@pytest.mark.parametrize("encoding", list(PACKED))
def test_packed_bodies_are_unpacked(web: Web, read: Read, encoding: str) -> None:
    web.route("/rows", lambda _: Reply(PACKED[encoding], headers={"Content-Encoding": encoding}))
    assert len(read(rest(web)).rows) == len(ROWS)
    assert "gzip" in web.asked[0].headers["Accept-Encoding"]


def test_chunked_bodies_are_put_together(web: Web, read: Read) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (DATA[:10], DATA[10:])) + b"0\r\n\r\n"
    web.route("/rows", lambda _: Reply(body, headers={"Transfer-Encoding": "chunked"}))
    assert len(read(rest(web)).rows) == len(ROWS)


@pytest.mark.parametrize(
    ("charset", "data"),
    [("iso-8859-1", '[{"x": "ção"}]'.encode("latin-1")), ("utf-8", b'\xef\xbb\xbf[{"x": "\xc3\xa7\xc3\xa3o"}]')],
)
def test_another_charset_is_read_as_it_is_announced(web: Web, read: Read, charset: str, data: bytes) -> None:
    web.route("/rows", lambda _: Reply(data, headers={"Content-Type": f"application/json; charset={charset}"}))
    assert read(rest(web)).rows[0]["x"] == "ção"


# ---------------------------------------------------------------- what is no answer
LIES: dict[str, tuple[Reply, str, dict[str, Any]]] = {
    "a web page": (Reply(b"<!DOCTYPE html><p>log in", headers={"Content-Type": "text/html"}), "a web page", {}),
    "a web page that says it is JSON": (Reply(b"\n <html>"), "a web page", {}),
    "a web page instead of csv": (
        Reply(b"<html>", headers={"Content-Type": "text/csv"}),
        "a web page",
        {"format": "csv"},
    ),
    "csv instead of JSON": (Reply(b"a,b\n", headers={"Content-Type": "text/csv"}), "is text/csv, not json", {}),
    "JSON instead of csv": (Reply([]), "is application/json, not csv", {"format": "csv"}),
    "nothing": (Reply(b""), "the body is empty", {}),
    "half of a document": (Reply(DATA[:-9]), "cannot be read: ", {}),
    "two documents": (Reply(DATA + DATA), "cannot be read: ", {}),
    "not a number": (Reply(b'[{"x": NaN}]'), "cannot be read: ", {}),
    "half a character": (Reply(b'[{"x": "\xff"}]'), "not valid utf-8", {}),
    "an unknown charset": (
        Reply([], headers={"Content-Type": "application/json; charset=klingon"}),
        "cannot be read",
        {},
    ),
    "deep nesting": (Reply(b"[" * 100_000), "cannot be read", {}),
    "an error with status 200": (Reply({"error": {"code": 7}}), "the status says that all is well", {}),
    "errors with status 200": (
        Reply({"data": [], "errors": [{"message": "x"}]}),
        "says `$.errors`",
        {"records": "$.data"},
    ),
    "no records": (
        Reply({"message": "over quota"}),
        "nothing stands at `$.data` in the body; its keys are message",
        {"records": "$.data"},
    ),
    "its own word for an error": (
        Reply({"status": "fail", "data": []}),
        "says `$.status = fail`",
        {"records": "$.data", "error_if": ["$.status = fail"]},
    ),
    "not its word for success": (
        Reply({"ok": False, "data": []}),
        "says `$.ok != true`",
        {"records": "$.data", "error_if": ["$.ok != true"]},
    ),
    "a longer body than announced": (Reply(DATA, length=len(DATA) - 9), "cannot be read: ", {}),
    "a shorter body than announced": (Reply(DATA, length=len(DATA) + 9), "9 bytes before its announced length", {}),
    "a cut body": (Reply(DATA, fault="cut", after=99), "bytes before its announced length", {}),
    "a cut pack": (
        Reply(PACKED["gzip"][:-20], headers={"Content-Encoding": "gzip"}),
        "ended before its packed data did",
        {},
    ),
    "a broken pack": (Reply(b"\x1f\x8b" + b"x" * 99, headers={"Content-Encoding": "gzip"}), "cannot be unpacked", {}),
    "an unknown pack": (Reply(DATA, headers={"Content-Encoding": "br"}), "packed as `br`", {}),
    "a cut chunk": (
        Reply(b"ff\r\nshort", headers={"Transfer-Encoding": "chunked"}, fault="cut", after=9),
        "no whole HTTP",
        {},
    ),
    "cut csv": (
        Reply(b"a,b\n1,2\n", 200, {"Content-Type": "text/csv"}, "cut", 5),
        "announced length",
        {"format": "csv"},
    ),
    "a bomb": (
        Reply(gzip.compress(b" " * (4 << 20)), headers={"Content-Encoding": "gzip"}),
        "is larger than",
        {"page_bytes": 1 << 20},
    ),
    "silence": (Reply(fault="mute"), "silent for 1 s", {}),
    "a stall": (Reply(DATA, fault="stall", after=9), "silent for 1 s", {}),
    "a drip": (Reply(DATA, fault="drip"), "no whole answer came within 3 s", {}),
}


@pytest.mark.parametrize("name", list(LIES))
def test_a_lie_is_a_plain_error(web: Web, tmp_path: Path, name: str) -> None:
    reply, said, options = LIES[name]
    web.route("/rows", lambda _: reply)
    began = time.monotonic()
    error = refusal(rest(web, **options), tmp_path)
    assert said in error.message
    assert f"{web.url}/rows" in error.message
    assert time.monotonic() - began < 6


def test_error_if_may_be_turned_off(web: Web, read: Read) -> None:
    web.route("/rows", lambda _: {"id": 1, "error": "of a gauge"})
    assert read(rest(web, error_if=[])).rows[0]["error"] == "of a gauge"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "LG-202"), (401, "LG-201"), (403, "LG-201"), (404, "LG-203"), (410, "LG-203"), (418, "LG-202")],
)
def test_a_status_that_says_no_is_told_with_the_servers_words(web: Web, tmp_path: Path, status: int, code: str) -> None:
    web.route("/rows", lambda _: Reply({"message": "por quê?" + "x" * 1000}, status))
    error = refusal(rest(web, retries=3), tmp_path)
    assert (error.code, error.retry) == (code, False)
    assert f"status {status}: " in error.message
    assert "por quê?" in error.message
    assert len(error.message) < 400
    assert len(web.asked) == 1


# ---------------------------------------------------------------- patience
def test_what_may_heal_is_asked_again(web: Web, read: Read) -> None:
    faults = [Reply(status=503), Reply(status=429, headers={"Retry-After": "1"}), Reply(DATA, fault="cut", after=5)]
    web.route("/rows", lambda a: faults[a.nth] if a.nth < len(faults) else ROWS)
    began = time.monotonic()
    assert len(read(rest(web, retries=4)).rows) == len(ROWS)
    assert len(web.asked) == 4
    assert 1.5 < time.monotonic() - began < 8


def test_a_server_may_say_when_to_come_again_as_a_date(web: Web, read: Read) -> None:
    def answer(asked: Asked) -> Any:
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        return Reply({}, 429, {"Retry-After": soon}) if asked.nth == 0 else ROWS

    web.route("/rows", answer)
    began = time.monotonic()
    assert len(read(rest(web, retries=1)).rows) == len(ROWS)
    assert time.monotonic() - began > 0.9


def test_a_date_is_measured_by_the_servers_own_clock() -> None:
    now = datetime(2031, 1, 1, tzinfo=UTC)
    said = Message()
    said["Retry-After"], said["Date"] = (format_datetime(t, usegmt=True) for t in (now + timedelta(seconds=2), now))
    assert told_to_wait(said) == 2.0
    for text, seconds in (("7", 7.0), ("", None), ("soon", None), ("-1", None), ("Wed, 99 Foo", None)):
        said.replace_header("Retry-After", text)
        assert told_to_wait(said) == seconds


def test_a_server_that_wants_to_be_left_alone_for_long_is_left_alone(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda _: Reply({}, 429, {"Retry-After": "86400"}))
    error = refusal(rest(web, retries=5), tmp_path)
    assert "wants to be asked again in 86,400 s" in error.message
    assert len(web.asked) == 1


def test_retries_end(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda _: Reply({"message": "down"}, 503))
    error = refusal(rest(web, retries=1), tmp_path)
    assert error.retry
    assert "status 503" in error.message
    assert len(web.asked) == 2


def test_requests_keep_the_pace(web: Web, read: Read) -> None:
    web.route("/rows", lambda a: [{"id": a.nth}] if int(a.query["page"]) < 8 else [])
    began = time.monotonic()
    read(rest(web, paging={"by": "page"}, rate=10, parallel=4))
    assert time.monotonic() - began >= 0.7


def test_a_server_that_wants_to_be_left_alone_is_left_alone_by_all(web: Web, read: Read) -> None:
    times: list[float] = []
    told: list[float] = []

    def answer(asked: Asked) -> Any:
        times.append(time.monotonic())
        if asked.nth == 8:
            told.append(time.monotonic())
            return Reply({}, 429, {"Retry-After": "2"})
        time.sleep(0.4)
        return [{"id": int(asked.query["page"])}] if int(asked.query["page"]) < 16 else []

    web.route("/rows", answer)
    assert len(read(rest(web, paging={"by": "page"}, parallel=4, retries=1)).rows) == 15
    assert [t for t in times if told[0] + 0.2 < t < told[0] + 1.9] == []


def test_a_stop_ends_a_reading_whatever_it_waits_for(web: Web, tmp_path: Path) -> None:
    web.route("/mute", lambda _: Reply(fault="mute"))
    web.route("/stall", lambda _: Reply(DATA, fault="stall", after=3))
    web.route("/busy", lambda _: Reply(status=503, headers={"Retry-After": "60"}))
    web.route("/endless", lambda a: [{"id": a.nth}])
    streams = {n: {"path": n, "paging": {"by": "page"}} for n in ("mute", "stall", "busy", "endless")}
    slow = {"read_timeout": "60s", "total_timeout": "60s", "retries": 3}
    for stream in streams:
        stopped = Event()
        reading = Reading(stream, None, tmp_path, tmp_path, "bronze.x", stopped=stopped)
        threading.Timer(0.5, stopped.set).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            list(rest(web, streams=streams, **slow).read(reading))
        assert time.monotonic() - began < 5.5


def test_a_reading_that_is_given_up_leaves_no_request_under_way(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: [{"id": a.nth}] if int(a.query["page"]) < 102 else Reply(fault="mute"))
    slow = {"read_timeout": "60s", "total_timeout": "60s"}
    source = rest(web, paging={"by": "page"}, mode="merge", key="id", parallel=3, **slow)
    batches = source.read(Reading("rows", None, tmp_path, tmp_path, "bronze.x"))
    next(batches)
    deadline = time.monotonic() + 5
    while len(web.asked) < 102 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [t for t in threading.enumerate() if t.name == "driver-call"]
    batches.close()  # type: ignore[attr-defined]  # a generator
    deadline = time.monotonic() + 5
    while [t for t in threading.enumerate() if t.name == "driver-call"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [t for t in threading.enumerate() if t.name == "driver-call"]


def test_connections_are_used_again_and_replaced_when_the_server_closed_them(web: Web, read: Read) -> None:
    web.route(
        "/rows",
        lambda a: Reply(
            [{"id": a.nth}] if int(a.query["page"]) < 9 else [],
            headers={"Connection": "close"} if a.nth % 3 == 2 else {},
        ),
    )
    assert len(read(rest(web, paging={"by": "page"}, parallel=1)).rows) == 8
