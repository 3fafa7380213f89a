"""Environments of connectors: made once, by one run at a time, and clear about what went wrong."""

from __future__ import annotations

import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Timer
from zipfile import ZipFile

import pytest

from lagoa import registry
from lagoa.errors import SourceError, Stopped
from lagoa.kit.airbyte.environment import Environment, where_uv_may_be
from lagoa.ports import Reading, Source

WHEEL = "tiny_source-1.0-py3-none-any.whl"
CONNECTOR = Path(__file__).with_name("airbyte_connector.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that holds a connector as a wheel, which needs nothing and no network."""
    about = "tiny_source-1.0.dist-info"
    with ZipFile(tmp_path / WHEEL, "w") as wheel:
        wheel.write(CONNECTOR, "tiny_source.py")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-source\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/entry_points.txt", "[console_scripts]\ntiny-source = tiny_source:main\n")
        wheel.writestr(f"{about}/RECORD", "")
    return tmp_path


def tiny(**more: object) -> Source:
    keys = {"connector": f"./{WHEEL}", "command": "tiny-source", "config": {"token": "a-token", "records": [{"id": 1}]}}
    made: Source = registry.adapter("sources", "airbyte")(type="airbyte", streams={"people": {}}, **(keys | more))
    return made


@pytest.fixture(params=["uv", "pip"])
def uv(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The folders in which uv is looked for: those of this machine, or one that has none, so that pip is used."""
    if request.param == "pip":
        return str(tmp_path)
    if shutil.which("uv", path=where_uv_may_be()) is None:
        pytest.skip("needs uv: pip install uv")
    return where_uv_may_be()


@pytest.mark.slow
def test_an_environment_is_made_once_by_one_run_at_a_time_and_again_when_it_was_cut_short(
    project: Path, uv: str
) -> None:
    made = Environment(project, f"./{WHEEL}", uv=uv)
    (made.folder / "bin").mkdir(parents=True)  # as a run that was killed leaves it
    (made.folder / "bin/half").touch()
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lambda _: made.programs(Event()), range(2))
    assert one == two == project / ".lagoa/airbyte" / made.folder.name / "bin"
    assert not (one / "half").exists()
    assert (one / "pip").exists() is (uv == str(project))  # uv needs none
    before = (made.folder / ".ready").stat().st_mtime_ns
    reading = Reading("people", None, project, project, "bronze.t_people")
    batches = list(tiny().read(reading))
    assert [f.name for f in batches[0].schema] == ["id", "name", "note", "born"]
    assert (made.folder / ".ready").stat().st_mtime_ns == before
    assert sys.prefix not in str(one)


@pytest.mark.slow
def test_what_the_installer_says_last_is_the_error(project: Path, uv: str) -> None:
    torn = "torn-1.0-py3-none-any.whl"
    (project / torn).write_bytes(b"no archive")
    tool = "pip" if uv == str(project) else "uv"
    with pytest.raises(SourceError, match=f"no environment for `./{torn}`: {tool} says\n") as caught:
        Environment(project, f"./{torn}", uv=uv).programs(Event())
    said = caught.value.message.partition(" says\n")[2]
    assert "torn" in said
    assert caught.value.hint
    assert not list(project.glob(".lagoa/airbyte/*/.ready"))


def test_a_wheel_that_is_not_there_is_named(project: Path, uv: str) -> None:
    for gone in ("./gone-1.0-py3-none-any.whl", "gone-1.0-py3-none-any.whl[extra]", "wheels/gone"):
        with pytest.raises(SourceError, match=rf"no environment for `{re.escape(gone)}`: there is no such file"):
            Environment(project, gone, uv=uv).programs(Event())


def test_an_interpreter_that_is_not_there_is_named(project: Path, uv: str) -> None:
    with pytest.raises(SourceError, match=r"`python: 2\.99`: there is no such interpreter"):
        Environment(project, "x", "2.99", uv).programs(Event())


def test_an_installation_stops_with_the_run(project: Path, uv: str) -> None:
    slow = project / "slow-python"
    slow.write_text("#!/bin/sh\nsleep 600\n")
    slow.chmod(0o755)
    stopped = Event()
    Timer(0.5, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        Environment(project, "x", str(slow), uv).programs(stopped)
    assert time.monotonic() - began < 5


def test_a_program_that_the_package_does_not_have_is_named(project: Path) -> None:
    made = Environment(project, f"./{WHEEL}")
    (made.folder / "bin").mkdir(parents=True)
    (made.folder / "bin/python").touch()
    (made.folder / ".ready").touch()
    reading = Reading("people", None, project, project, "bronze.t_people")
    with pytest.raises(SourceError, match="cannot be started: No such file") as caught:
        list(tiny(command="tiny").read(reading))
    assert "`command:`" in str(caught.value.hint)
