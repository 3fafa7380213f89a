"""The files source passes the suite that every source passes."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lagoa import registry
from lagoa.ports import Source
from lagoa.testing.sources import SourceContract

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/files.md"
STREAMS: dict[str, Any] = {
    "orders": {"path": "orders*.csv", "mode": "append", "columns": {"amount": {"type": "decimal(12, 2)"}}},
    "people": {"path": "people.csv", "mode": "merge", "key": "id", "columns": {"notes": {"drop": True}}},
    "events": {"path": "events/{day}/*.ndjson", "mode": "append"},
    "measures": {"path": "measures.parquet"},
    "packed": {"path": "packed*.zip", "member": "*.csv", "mode": "append"},
    "sheets": {"path": "sheets*.xlsx", "sheet": "*", "mode": "append", "columns": {"secret": {"drop": True}}},
    "notes": {"path": "notes*.xml", "records": "$.notes.note", "mode": "append"},
    "bank": {
        "path": "bank*.txt",
        "format": "fixed",
        "mode": "append",
        "columns": {"id": {"width": 2, "type": "integer"}, "name": {"width": 3}, "secret": {"width": 2, "drop": True}},
    },
}


def files(**streams: Any) -> Source:
    found: Source = registry.adapter("sources", "files")(type="files", path="landing", streams=streams)
    return found


def packed(path: Path, nth: int) -> None:
    with zipfile.ZipFile(path / f"packed{nth}.zip", "w") as archive:
        archive.writestr("a.csv", "id,x\n1,a\n2\n")
        archive.writestr("b.csv", f"id,x\n{nth},b\n")
        archive.writestr("read.me", "not a table")


def sheets(path: Path, nth: int) -> None:
    book: Any = openpyxl.Workbook()
    for row in (["id", "at", "secret"], [nth, datetime(2024, 1, nth), "x"], [3, "#REF!", "x"]):
        book.active.append(row)
    book.active["B3"].data_type = "e"
    more = book.create_sheet("more")
    more.append(["id"])
    more.append([7])
    book.save(path / f"sheets{nth}.xlsx")


def notes(path: Path, nth: int) -> None:
    note = f"<note id='{nth}'><item>1</item><item>2</item></note>"
    (path / f"notes{nth}.xml").write_text(f"<notes><note id='0'/>{note}</notes>")
    (path / f"notes{nth}-torn.xml").write_text("<notes><note id='9'/>")


def bank(path: Path, nth: int) -> None:
    (path / f"bank{nth}.txt").write_text(f"01Anaxx\n{nth:02d}Zoëxx\n03\nxxJoãxx\n")


WRITERS: dict[str, Callable[[Path, int], None]] = {"packed": packed, "sheets": sheets, "notes": notes, "bank": bank}


class TestFiles(SourceContract):
    page = PAGE
    in_batches = ("orders",)

    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch) -> Source:
        found = files(**STREAMS)
        monkeypatch.setattr(
            sys.modules[type(found).__module__], "_BATCH_FILES", 2
        )  # a torn document lies beside a whole one
        return found

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        landing = tmp_path / "landing"
        (landing / "events/2024-01-01").mkdir(parents=True)
        (landing / "orders-1.csv").write_text('id,amount,note\n1,1.50,"a\nb"\n2,2.50,\n3,much,x\n4\n')
        for name in ("orders-0", "orders-00"):
            (landing / f"{name}.csv").write_text("id,amount,note\n2,2.50,\n")
        (landing / "people.csv").write_text("id,name,notes\n1,Ana,secret\n2,Zoë,secret\n")
        (landing / "events/2024-01-01/a.ndjson").write_text('{"id": 1, "at": "x"}\n{"id": 2}\n')
        pq.write_table(pa.table({"id": [1, 2, 3], "value": [0.5, None, 2.5]}), landing / "measures.parquet")
        for write in WRITERS.values():
            write(landing, 1)
        return tmp_path

    @pytest.fixture
    def grow(self, project: Path) -> Callable[[str], None]:
        landing = project / "landing"

        def orders() -> None:
            (landing / "orders-2.csv").write_text("id,amount,note\n2,2.50,\n5,5.50,new\n")

        def people() -> None:
            (landing / "people.csv").write_text("id,name,notes\n1,Ana,\n2,Zoe,\n3,João,\n")

        def events() -> None:
            (landing / "events/2024-01-02").mkdir()
            (landing / "events/2024-01-02/a.ndjson").write_text('{"id": 1, "at": "x"}\n')

        growing = {"orders": orders, "people": people, "events": events}
        return lambda stream: growing[stream]() if stream in growing else WRITERS[stream](landing, 2)

    @pytest.fixture
    def broken(self) -> list[Source]:
        return [files(gone={"path": "gone.csv"}), files(up={"path": "../secret.csv"})]
