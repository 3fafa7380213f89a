"""Airbyte's protocol: the contract by a connector of the test's own, and one that hangs, floods, lies and dies."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest
from pydantic import ValidationError

from lagoa import registry
from lagoa.app import Project
from lagoa.errors import SourceError, Stopped
from lagoa.kit.airbyte import spool
from lagoa.ports import Reading, Source
from lagoa.spec.secret import Secret
from lagoa.testing.sources import Reader, SourceContract

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/airbyte.md"
CANARY = "c4n@ry-token"
CONNECTOR = Path(__file__).with_name("airbyte_connector.py")


def airbyte(streams: dict[str, Any] | None = None, idle: str = "30s", **config: Any) -> Source:
    made: Source = registry.adapter("sources", "airbyte")(
        type="airbyte",
        command=[sys.executable, "connector.py"],
        idle_timeout=idle,
        config={"token": Secret(CANARY), **config},
        streams=streams or {"people": {"mode": "merge", "key": "id"}},
    )
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(CONNECTOR, tmp_path / "connector.py")
    (tmp_path / "people.json").write_text("[1, 2, 3, 4, 5]")
    monkeypatch.setenv("LAGOA_CANARY", CANARY)
    return tmp_path


class TestAirbyte(SourceContract):
    secrets = (CANARY,)
    page = PAGE
    in_batches = ("people", "added")

    @pytest.fixture
    def project(self, project: Path) -> Path:
        return project

    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(spool, "_BYTES", 1)  # every state ends a batch
        return airbyte(
            {
                "people": {"mode": "merge", "key": "id", "columns": {"note": {"drop": True}}},
                "added": {"name": "people", "mode": "append"},
                "all_people": {"name": "people"},
                "countries": {"name": "My Countries"},
            },
            file="people.json",
        )

    @pytest.fixture
    def grow(self, project: Path) -> Callable[[str], None]:
        counts = iter((7, 9))
        return lambda _: void((project / "people.json").write_text(json.dumps([*range(1, next(counts))])))

    @pytest.fixture
    def broken(self) -> list[Source]:
        faults: list[dict[str, Any]] = [{"fault": f, "at": "discover"} for f in ("exit", "trace", "nothing")]
        gone: Source = registry.adapter("sources", "airbyte")(
            command="no-such-program", streams={"people": {}}, type="a"
        )
        return [gone, airbyte({"nobody": {}}), *(airbyte(**fault) for fault in faults)]


def void(_: object) -> None:
    """Take a value and give none."""


@pytest.fixture
def reader(project: Path, tmp_path: Path) -> Any:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, project, engine, tmp_path / "scratch")
    engine.close()


Read = Callable[[Source], Reader]


def one(kinds: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "people", "json_schema": {"properties": kinds}, "supported_sync_modes": ["full_refresh"]}]


TIMED = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("kind", "value", "type", "lands"),
    [
        ({"type": "integer"}, 9007199254740993, "int64", 9007199254740993),
        ({"type": ["null", "number"]}, 12.25, "double", 12.25),
        ({"type": ["integer", "number"]}, 3, "double", 3.0),
        ({"type": "number", "airbyte_type": "integer"}, 3, "int64", 3),
        (
            {"type": "string", "airbyte_type": "big_integer"},
            "12345678901234567890123",
            "decimal128(38, 0)",
            "12345678901234567890123",
        ),
        (
            {"type": "string", "airbyte_type": "big_number"},
            "0.12345678901234567890123",
            "string",
            "0.12345678901234567890123",
        ),
        ({"type": "boolean"}, True, "bool", True),
        ({"type": "string"}, "São\n☕", "string", "São\n☕"),
        ({"type": "string", "format": "date"}, "2026-02-28", "date32[day]", "2026-02-28"),
        (TIMED, "2026-02-28T23:30:00-03:00", "timestamp[us, tz=UTC]", "2026-03-01 02:30:00+00:00"),
        (TIMED, "2026-02-28T23:30:00", "timestamp[us, tz=UTC]", "2026-02-28 23:30:00+00:00"),
        (
            {**TIMED, "airbyte_type": "timestamp_without_timezone"},
            "2026-02-28T23:30:00",
            "timestamp[us]",
            "2026-02-28 23:30:00",
        ),
        ({"type": "string", "airbyte_type": "time_without_timezone"}, "23:30", "string", "23:30"),
        ({"type": "object"}, {"a": [1, None]}, "string", '{"a":[1,null]}'),
        ({"type": "array"}, ["a", 1], "string", '["a",1]'),
        ({"type": ["string", "integer"]}, 5, "string", "5"),
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, 5, "int64", 5),
        ({}, "x", "string", "x"),
        ({"type": "object"}, None, "string", None),
    ],
)
def test_the_catalog_gives_columns_their_types(
    reader: Read, kind: dict[str, Any], value: object, type: str, lands: object
) -> None:
    landed = reader(airbyte({"people": {}}, catalog=one({"X y": kind, "never": {}}), records=[{"X y": value}])).read(
        "people"
    )
    assert landed.schema is not None
    assert landed.schema.names == ["x_y", "never"]
    assert str(landed.schema.field("x_y").type) == type
    found = landed.rows[0]["x_y"]
    assert (found if isinstance(lands, type_of(found)) else str(found)) == lands


def type_of(value: object) -> type:
    return value.__class__


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ({"type": "integer"}, 1.5, 'x: "1.5" is not a bigint'),
        ({"type": "integer"}, "many", 'x: "many" is not a bigint'),
        ({"type": "integer"}, 2**63, "is not a bigint"),
        ({"type": "string", "format": "date"}, "2026-02-30", "is not a date"),
        ({"type": "number"}, "1,5", "is not a double"),
        ({**TIMED, "airbyte_type": "timestamp_without_timezone"}, "2026-02-28T23:30:00Z", "is not a timestamp"),
    ],
)
def test_a_record_that_does_not_fit_is_set_aside_and_the_others_land(
    reader: Read, kind: dict[str, Any], value: object, says: str
) -> None:
    source = airbyte({"people": {}}, catalog=one({"x": kind}), records=[{"x": value}, {"x": None}])
    landed = reader(source).read("people")
    assert len(landed.rows) == 1
    assert says in landed.refused[0]["_reason"]


def test_a_key_that_the_catalog_does_not_name_lands_as_text(reader: Read) -> None:
    source = airbyte({"people": {}}, catalog=one({"x": {"type": "integer"}}), records=[{"x": 1, "More": {"a": 1.0}}])
    assert [row["more"] for row in reader(source).read("people").rows] == ['{"a":1.0}']


def test_lines_that_are_no_messages_are_noted_and_broken_records_set_aside(reader: Read, project: Path) -> None:
    reading = Reading("people", None, project, project, "bronze.t_people")
    records = [{"id": 1, "Name": "a"}]
    notes = [note for batch in airbyte(fault="garbage", records=records).read(reading) for note in batch.notes]
    assert any("connector.py" in note and "hello ***" in note for note in notes)
    landed = reader(airbyte(fault="garbage", records=records)).read("people")
    assert (len(landed.rows), landed.rejects) == (1, 2)


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ({"fault": "exit"}, "LG-202", "ended with exit code 3: ValueError: no ***"),
        ({"fault": "trace"}, "LG-201", "says: bad ***"),
        ({"fault": "transient"}, "LG-202", "slow down"),
        ({"fault": "flood"}, "LG-202", "a line of more than 128 MB"),
        ({"fault": "die", "after": 0}, "LG-202", "was ended by signal 9"),
        ({"fault": "incomplete", "after": 1}, "LG-202", "without saying that the stream is complete"),
        ({"fault": "empty"}, "LG-202", "sent a record without data"),
        ({"fault": "lost"}, "LG-205", "says that it sent 9 records, of which 2 arrived"),
        ({"fault": "hang", "at": "discover"}, "LG-202", "has said nothing for 1 seconds"),
        ({"fault": "nothing", "at": "discover"}, "LG-202", "without a CATALOG message: usage: ***"),
    ],
)
def test_what_a_connector_does_wrong_is_said(reader: Read, fault: dict[str, Any], code: str, says: str) -> None:
    idle = "1s" if fault["fault"] == "hang" else "30s"
    with pytest.raises(SourceError) as caught:
        reader(airbyte(idle=idle, file="people.json", **fault)).read("people")
    assert caught.value.code == code
    assert says in caught.value.message
    assert CANARY not in f"{caught.value}{caught.value.hint}"
    assert caught.value.retry is (fault["fault"] in ("transient", "incomplete", "hang"))


def test_a_connector_that_ignores_the_signal_is_ended_with_all_that_it_started(project: Path) -> None:
    stopped = Event()
    reading = Reading("people", None, project, project, "bronze.t_people", stopped=stopped)
    Timer(1.5, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        list(airbyte(fault="hang", at="discover").read(reading))
    assert time.monotonic() - began < 1.5 + 5
    assert [pid for pid in Path("/proc").glob("[0-9]*") if runs_in(pid, project)] == []
    assert list(project.glob("airbyte-*")) == []


def test_what_a_connector_leaves_running_is_ended_with_it(reader: Read, project: Path) -> None:
    landed = reader(airbyte(idle="5s", fault="leave", file="people.json")).read("people")
    assert len(landed.rows) == 5
    assert [pid for pid in Path("/proc").glob("[0-9]*") if runs_in(pid, project)] == []


def runs_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def test_a_check_asks_for_the_configuration_that_the_connector_specifies(project: Path) -> None:
    airbyte().check("people", project)
    wrong = Secret("wr0ng-token")
    for config, says in (({"token": wrong}, "cannot be reached: who is \\*\\*\\*"), ({"tokn": "x"}, "takes no `tokn`")):
        with pytest.raises(SourceError, match=says):
            airbyte(**config).check("people", project)
    missing = airbyte().model_copy(update={"config": {}})
    with pytest.raises(SourceError, match="needs `token`"):
        missing.check("people", project)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "say `connector:`"),
        ({"connector": "--no-deps"}, "not an option"),
        ({"command": "x", "python": "3.11"}, "goes with `connector:`"),
        ({"connector": "x", "streams": {"a": {"cursor": "id"}}}, "takes no `cursor:`"),
        ({"connector": "x", "streams": {"a": {"columns": {"b": {"type": "numbr"}}}}}, "not a type"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        registry.adapter("sources", "airbyte").model_validate({"type": "airbyte", "streams": {}, **keys})


def test_an_append_of_what_has_no_cursor_is_refused(reader: Read) -> None:
    with pytest.raises(SourceError, match="cannot tell what is new"):
        reader(airbyte({"countries": {"name": "My Countries", "mode": "append"}})).read("countries")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_run_goes_on_after_the_last_state_of_a_connector_that_died(project: Path, legacy: bool) -> None:
    (project / "lagoa.yml").write_text("name: p\n")
    (project / ".env").write_text(f"TOKEN={CANARY}\n")
    (project / "sources").mkdir()
    file = project / "sources/crm.yml"
    text = f"""type: airbyte
command: ["{sys.executable}", connector.py]
config: {{token: "${{secret:token}}", file: people.json, legacy: {json.dumps(legacy)}, fault: die, after: 3}}
streams: {{people: {{mode: append}}}}
"""
    file.write_text(text)
    ids = "select id from bronze.crm_people order by 1"
    with Project.open(project) as opened:
        done = opened.run()
        assert not done.ok
        assert "was ended by signal 9" in str(done.results[0].error)
        assert opened.query(ids).read_all()["id"].to_pylist() == [1, 2]
    file.write_text(text.replace("fault: die, ", ""))
    with Project.open(project) as opened:
        assert opened.run().ok
        assert opened.query(ids).read_all()["id"].to_pylist() == [1, 2, 3, 4, 5]
        assert [r.status for r in opened.run().results] == ["unchanged"]
    written = [p for p in project.rglob("*") if p.is_file() and p.name not in (".env", "connector.py")]
    assert [p for p in written if CANARY.encode() in p.read_bytes()] == []
