"""Connectors that are images: what an engine is told, what it can see, and that a container ends with its run."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest
from pydantic import ValidationError

from lagoa import registry
from lagoa.app import Project
from lagoa.errors import SourceError, Stopped
from lagoa.ports import Reading, Source
from lagoa.spec.secret import Secret
from lagoa.testing.sources import Reader

CANARY = "c4n@ry-token"
IMAGE = "acme/source-people:1.2.3"
BESIDE = Path(__file__).parent


def contained(image: str = IMAGE, streams: dict[str, Any] | None = None, **config: Any) -> Source:
    made: Source = registry.adapter("sources", "airbyte")(
        type="airbyte",
        image=image,
        config={"token": Secret(CANARY), **config},
        streams=streams or {"people": {"mode": "append"}},
    )
    return made


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder, of a name that needs quotes, with an engine of the tests in it, called docker."""
    folder = tmp_path / 'a "b", c'
    folder.mkdir()
    shutil.copy(BESIDE / "airbyte_connector.py", folder / "connector.py")
    lines = (BESIDE / "container_engine.py").read_text()
    (folder / "docker").write_text(f"#!{sys.executable}\n{lines}")
    (folder / "docker").chmod(0o755)
    return folder


@pytest.fixture
def project(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project beside the engine, which is the only one of this machine."""
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("LAGOA_CANARY", CANARY)
    (programs / "people.json").write_text("[1, 2, 3, 4, 5]")
    return programs


@pytest.fixture
def reader(project: Path, tmp_path: Path) -> Iterator[Any]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, project, engine, project / "scratch")
    engine.close()


def left(project: Path) -> list[Path]:
    """What an engine still has running, and what Lagoa has told it."""
    return [*(project / "engine").glob("*.pid"), *project.rglob("config.json")]


def said(project: Path) -> list[str]:
    return (project / "engine/said").read_text().splitlines()


def test_an_image_is_fetched_once_and_reads_on_from_its_state(reader: Any, project: Path) -> None:
    read = reader(contained(file=str(project / "people.json")))
    landed = read.read("people")
    assert [row["id"] for row in landed.rows] == [1, 2, 3, 4, 5]
    assert landed.cursor["connector"] == "acme-source-people"
    (project / "people.json").write_text("[1, 2, 3, 4, 5, 6]")
    assert [row["id"] for row in read.read("people", landed.cursor).rows] == [6]
    words = said(project)
    assert [line.split()[0] for line in words] == ["image", "pull", "run", "run", "image", "run"]
    assert [line.split()[-7] for line in words if "--state" in line] == ["read"]
    assert CANARY not in "".join(words)
    assert left(project) == []


def test_a_check_speaks_through_the_engine(project: Path) -> None:
    contained(file=str(project / "people.json")).check("people", project)
    with pytest.raises(SourceError, match=r"acme-source-people cannot be reached: who is \*\*\*"):
        contained().model_copy(update={"config": {"token": Secret("wr0ng-token")}}).check("people", project)
    assert left(project) == []


def test_a_container_that_ignores_the_signal_is_removed_with_its_run(project: Path) -> None:
    stopped = Event()
    reading = Reading("people", None, project, project, "bronze.t_people", stopped=stopped)
    Timer(1.5, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        list(contained(fault="hang", at="discover").read(reading))
    assert time.monotonic() - began < 1.5 + 5
    assert said(project)[-1].startswith("rm --force lagoa-")
    assert left(project) == []
    assert [pid for pid in Path("/proc").glob("[0-9]*") if runs_in(pid, project / "engine")] == []


def runs_in(process: Path, folder: Path) -> bool:
    try:
        return folder in (process / "cwd").readlink().parents
    except OSError:
        return False


def test_a_container_that_dies_says_so(reader: Any, project: Path) -> None:
    with pytest.raises(SourceError, match="acme-source-people ended with exit code 137"):
        reader(contained(file=str(project / "people.json"), fault="die", after=0)).read("people")
    assert left(project) == []


def test_an_image_that_cannot_be_fetched_is_told_in_the_engines_words(project: Path) -> None:
    with pytest.raises(SourceError, match=r"no image `acme/gone:1`: docker says\n.*manifest unknown") as caught:
        contained("acme/gone:1").check("people", project)
    assert (caught.value.code, caught.value.retry) == ("LG-201", False)


def test_without_an_engine_the_way_out_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project / "engine"))
    with pytest.raises(SourceError, match="neither docker nor podman is on the PATH") as caught:
        contained().check("people", project)
    assert "`connector:`" in str(caught.value.hint)


def test_podman_is_used_where_there_is_no_docker(reader: Any, project: Path) -> None:
    (project / "docker").rename(project / "podman")
    assert len(reader(contained(file=str(project / "people.json"))).read("people").rows) == 5


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"image": IMAGE, "connector": "x"}, "says all that is run"),
        ({"image": IMAGE, "command": "x"}, "says all that is run"),
        ({"image": "--privileged"}, "must be an image"),
        ({"image": "a b"}, "must be an image"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        registry.adapter("sources", "airbyte").model_validate({"type": "airbyte", "streams": {}, **keys})


@pytest.mark.parametrize(
    ("image", "called"),
    [
        ("airbyte/source-faker:7.2.1", "airbyte-source-faker"),
        ("localhost:5000/airbyte/source-faker", "airbyte-source-faker"),
        ("ghcr.io/a/b/source-x:1@sha256:" + "0" * 64, "b-source-x"),
    ],
)
def test_an_image_is_called_as_its_package(image: str, called: str) -> None:
    made: Any = contained(image)
    assert made.package() == called


def test_a_star_takes_all_streams_of_the_catalog(project: Path) -> None:
    catalog: list[dict[str, Any]] = [
        {"name": "Accounts", "supported_sync_modes": ["full_refresh", "incremental"], "default_cursor_field": ["at"]},
        {"name": "untold", "supported_sync_modes": ["incremental"], "source_defined_primary_key": [["id"]]},
        {"name": "nested", "source_defined_primary_key": [["a", "b"]]},
        {"name": "log_1", "json_schema": {}},
    ]
    catalog[0] |= {"json_schema": {"properties": {"Id": {"type": "integer"}}}, "namespace": "crm"}
    catalog[0] |= {"source_defined_primary_key": [["Id"]]}
    (project / "lagoa.yml").write_text("name: p\n")
    (project / ".env").write_text(f"TOKEN={CANARY}\n")
    (project / "sources").mkdir()
    text = f"""type: airbyte
image: {IMAGE}
config: {{token: "${{secret:token}}", catalog: {json.dumps(catalog)}}}
streams:
  "*": {{mode: merge, exclude: [log_*], tags: [crm]}}
  untold: {{mode: merge, key: id, cursor: id}}
"""
    (project / "sources/crm.yml").write_text(text)
    with Project.open(project) as opened:
        specs: dict[str, Any] = {t.stream: t.spec for t in opened.project.graph.streams.values()}
    assert sorted(specs) == ["accounts", "nested", "untold"]
    one = specs["accounts"]
    assert (one.name, one.namespace, one.mode, one.key, one.tags) == ("Accounts", "crm", "merge", ("id",), ("crm",))
    assert (specs["nested"].mode, specs["untold"].cursor) == ("replace", "id")
    assert CANARY not in (project / ".lagoa/streams/crm.json").read_text()
    (project / "sources/crm.yml").write_text(text.replace("log_*", "'*'"))
    with Project.open(project, fresh=True) as opened:
        assert [t.stream for t in opened.project.graph.streams.values()] == ["untold"]
