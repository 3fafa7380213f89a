"""A Python file as a source: the contract, its cursor, chunks that are published as they come, and errors that help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lagoa import registry
from lagoa.app import Project
from lagoa.errors import ProjectErrors
from lagoa.ports import Source
from lagoa.testing.sources import SourceContract

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/python.md"
CANARY = "c4n@ry-token"
CODE = '''"""A system that only its own library speaks to."""
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

HERE = Path(__file__).parent

def _held(name):
    return json.loads((HERE / f"{name}.json").read_text())

def rates(since):
    """Days and rates, two at a time, in the order of days."""
    rate = Decimal("0.125")
    rows = [{"day": date(2026, 1, 1) + timedelta(days=n), "rate": rate * (n + 8), "secret": "x"} for n in _held("days")]
    rows = sorted((r for r in rows if since is None or r["day"] >= since), key=lambda r: r["day"])
    for start in range(0, len(rows), 2):
        yield rows[start : start + 2]

def in_chunks(since):
    yield from rates(since)

def people(settings, since):
    assert settings["token"] == "c4n@ry-token"
    rows = pa.table({"id": _held("people"), "name": [f"n{i}" for i in _held("people")]})
    yield rows
    return {"seen": len(rows)}

def countries():
    return [{"code": "br", "people": 212_600_000, "more": [1, 2]}, {"code": "pt", "only": True}]

def broken(settings):
    raise ValueError(f"no such token: {settings['token']}")
'''


def python(**streams: object) -> Source:
    found: Source = registry.adapter("sources", "python")(
        type="python", file="sources/erp.py", settings={"token": _secret(), "pages": 3}, streams=streams
    )
    return found


def _secret() -> object:
    from lagoa.spec.secret import Secret

    return Secret(CANARY)


class TestPython(SourceContract):
    secrets = (CANARY,)
    page = PAGE
    in_batches = ("in_chunks",)

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        (tmp_path / "sources").mkdir()
        (tmp_path / "sources/erp.py").write_text(CODE)
        (tmp_path / "sources/days.json").write_text("[0, 1, 2, 3, 4]")
        (tmp_path / "sources/people.json").write_text("[1, 2, 3]")
        return tmp_path

    @pytest.fixture
    def source(self) -> Source:
        return python(
            rates={"mode": "append", "cursor": "day", "columns": {"secret": {"drop": True}}},
            in_chunks={"mode": "append", "cursor": "day", "each": True, "columns": {"secret": {"drop": True}}},
            people={"mode": "merge", "key": "id"},
            countries={},
        )

    @pytest.fixture
    def grow(self, project: Path) -> Callable[[str], None]:
        days = "[0, 1, 2, 3, 4, 4, 5, 6"
        texts = {"rates": f"{days}]", "in_chunks": f"{days}, 6, 7, 8]", "people": "[1, 2, 3, 4]"}
        files = {"rates": "days", "in_chunks": "days", "people": "people"}
        return lambda stream: void((project / f"sources/{files[stream]}.json").write_text(texts[stream]))

    @pytest.fixture
    def broken(self) -> list[Source]:
        gone: Source = registry.adapter("sources", "python")(type="python", file="sources/no.py", streams={"a": {}})
        return [gone]


def void(_: object) -> None:
    """Take a value and give none."""


HEADER = '''"""Days.
---
settings: {token: "${secret:erp_token}"}
streams:
  days: {mode: append, cursor: day, each: true}
"""
from pathlib import Path

def days(since, settings):
    first = 0 if since is None else since
    for day in range(first, 10):
        if day == 6 and (Path(__file__).parent.parent / "break").exists():
            raise RuntimeError("the line is dead, said " + settings["token"])
        yield {"day": day, "value": day * 1.5}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: p\n")
    (tmp_path / "sources/erp.py").write_text(HEADER)
    monkeypatch.setenv("ERP_TOKEN", CANARY)
    return tmp_path


def test_chunks_are_published_as_they_come_and_a_run_goes_on_after_the_last(folder: Path) -> None:
    (folder / "break").touch()
    with Project.open(folder) as project:
        done = project.run()
        assert not done.ok
        error = str(done.results[0].error)
        assert "sources/erp.py raised RuntimeError: the line is dead" in error
        assert CANARY not in error
        assert project.query("select * from bronze.erp_days order by 1").read_all()["day"].to_pylist() == [
            0,
            1,
            2,
            3,
            4,
            5,
        ]
        (folder / "break").unlink()
        assert project.run().ok
        assert project.query("select * from bronze.erp_days order by 1").read_all()["day"].to_pylist() == [*range(10)]
        assert [r.status for r in project.run().results] == ["unchanged"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def days(", "def day(", "defines no function `days`"),
        ("since, settings", "since, secrets", "takes `secrets`"),
        ("---\n", "--\n", "declares no streams"),
        ("mode: append, cursor: day", "mode: replace", "`each:` needs"),
        ("each: true", "eech: true", "did you mean"),
        ("def days(since", "def days(since:", "cannot be read"),
    ],
)
def test_what_is_wrong_is_found_without_running_the_file(folder: Path, old: str, new: str, said: str) -> None:
    text = HEADER.replace(old, new) + "raise SystemExit('it was run')\n"
    (folder / "sources/erp.py").write_text(text)
    with pytest.raises(ProjectErrors) as caught:
        Project.open(folder)
    error = caught.value.errors[0]
    assert said in f"{error} {error.hint}"
    assert str(error.place).startswith("sources/erp.py")


def test_a_plan_does_not_run_the_file(folder: Path) -> None:
    (folder / "sources/erp.py").write_text(HEADER + "raise SystemExit('it was run')\n")
    with Project.open(folder) as project:
        assert [s.status for s in project.plan().selected] == ["new"]


def test_two_files_of_one_name_are_one_too_many(folder: Path) -> None:
    (folder / "sources/erp.yml").write_text("type: files\npath: x\nstreams: {a: {}}\n")
    with pytest.raises(ProjectErrors, match="same name"):
        Project.open(folder)


ODD = '''"""Odd rows.
---
streams: {lazy: {}, keys: {}, large: {}}
"""
def lazy():
    return map(lambda n: {"n": n}, range(3))

def keys():
    return {5: 6}

def large():
    return {"a": 1, "b": 2**70}
'''


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ("lazy", None),
        ("keys", "a row has the key 5, which is no text"),
        ("large", "no type holds all values of `b` exactly"),
    ],
)
def test_what_no_column_holds_is_told_with_its_name(tmp_path: Path, stream: str, said: str | None) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: odd\n")
    (tmp_path / "sources/odd.py").write_text(ODD)
    with Project.open(tmp_path) as project:
        (result,) = project.run([f"bronze.odd_{stream}"]).results
        assert (said is None) == (result.error is None)
        assert (said or "None") in str(result.error)
        if said is None:
            assert project.query("select sum(n) as n from bronze.odd_lazy").read_all()["n"].to_pylist() == [3]
