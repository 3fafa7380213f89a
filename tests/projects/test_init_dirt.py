"""`lagoa init --from` looks at files as offices, banks and ministries write them, and proposes nothing that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
Propose = Callable[[dict[str, str | bytes]], dict[str, Any]]


@pytest.fixture
def propose(home: Path, lagoa: Lagoa) -> Propose:
    """Write files, let them be looked at, run what is proposed, and give the streams by name."""

    def proposed(files: dict[str, str | bytes]) -> dict[str, Any]:
        for name, content in files.items():
            path = home / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = lagoa("init", "new", "--from", str(home / "data"))
        assert said.code == 0, said.err
        run = lagoa("run", folder="new")
        assert run.code == 0, run.err
        found: dict[str, Any] = yaml.safe_load((home / "new/sources/data.yml").read_text("utf-8"))["streams"]
        return found

    return proposed


def _left_out(home: Path, lagoa: Lagoa, name: str, text: str | bytes) -> str:
    """Say why a file is left out that lies beside a good one."""
    (home / "data").mkdir()
    (home / "data/good.csv").write_text("id,v\n1,a\n")
    (home / "data" / name).write_bytes(text.encode() if isinstance(text, str) else text)
    said = lagoa("init", "new", "--from", str(home / "data"), "--json")
    assert said.code == 0, said.err
    return str(next(left["why"] for left in json.loads(said.out)["sources"][0]["left_out"] if left["file"] == name))


def test_folders_of_partitions_become_columns(propose: Propose, ask: Ask) -> None:
    parts = {f"ano={y}/mes={m}/part-0000{m}.csv": f"id,v\n{y}{m},x\n" for y in (2023, 2024) for m in ("01", "02")}
    streams = propose({f"sales/{name}": text for name, text in parts.items()})
    assert {s["path"] for s in streams.values()} == {"sales/ano={ano}/mes={mes}/part-*.csv"}
    rows = ask("new", f"select ano, mes, id from bronze.data_{next(iter(streams))} order by id")
    assert [tuple(r.values()) for r in rows][1:3] == [("2023", "02", "202302"), ("2024", "01", "202401")]


def test_a_file_that_cannot_be_read_is_named_as_it_is_called(home: Path, lagoa: Lagoa) -> None:
    why = _left_out(home, lagoa, "events.ndjson", '{"id": 1}\n{"ID": 2}\n')
    assert why == "events.ndjson: columns `id` and `ID` would both be called `id`"


def test_what_excel_leaves_beside_an_open_workbook_is_passed_over(home: Path, propose: Propose, lagoa: Lagoa) -> None:
    book: Any = openpyxl.Workbook()
    for row in (("id", "v"), (1, 2)):
        book.active.append(row)
    (home / "data").mkdir()
    book.save(home / "data/plan 1.xlsx")
    assert propose({"~$plan 1.xlsx": b"\6Ana"})["plan"]["path"] == "plan *.xlsx"
