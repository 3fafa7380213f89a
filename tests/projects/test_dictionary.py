"""Whole projects whose dictionaries name, describe, type and protect the columns of cryptic files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lagoa.catalog.describe import detail
from lagoa.errors import ProjectErrors
from lagoa.spec.names import TableName
from lagoa.testing.raft import Raft

CPF = "529.982.247-25"
KNA1 = f"KUNNR;NAME1;STCD2;ERDAT;ORT01\n0000100001;Ana;{CPF};20240131;Olinda\n"
WORDS = """\
Tabela;Campo;Nome novo;Descrição;Tipo;Dado pessoal
;MANDT;client;Client;CHAR 3;
KNA1;KUNNR;customer_number;Customer number;CHAR 10;não
KNA1;NAME1;name;Name of the customer;CHAR 35;name
KNA1;STCD2;cpf;Tax number;CHAR 11;cpf
KNA1;ERDAT;created;Day of creation;DATS 8;
VBAK;KUNNR;sold_to;Sold-to party;CHAR 10;
"""


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """A source over an SAP extract, with one dictionary for all of its tables."""
    raft = Raft(tmp_path)
    raft.write("words.csv", WORDS)
    raft.write("sap/kna1.csv", KNA1)
    _declare(raft)
    return raft


def _declare(raft: Raft, stream: str = "mode: append, key: KUNNR", words: str = "") -> None:
    raft.source(
        "sap",
        f"kna1: {{path: 'kna1*.csv', {stream}}}",
        delimiter='";"',
        date_format='"%Y%m%d"',
        dictionary=f"{{path: words.csv, types: {{DATS: date}}{words}}}",
    )


def _columns(raft: Raft) -> list[str]:
    with raft.open() as project:
        names = project.query("select * from bronze.sap_kna1 limit 0").schema.names
    return [name for name in names if not name.startswith("_")]


def _errors(raft: Raft) -> list[tuple[str, str]]:
    with pytest.raises(ProjectErrors) as caught:
        raft.open()
    return [(str(error.place), error.message) for error in caught.value.errors]


def test_columns_land_under_the_names_types_and_words_of_the_dictionary(raft: Raft) -> None:
    raft.ok()
    assert _columns(raft) == ["customer_number", "name", "cpf", "created", "ort01"]
    sql = "select customer_number, created::varchar, typeof(created) from bronze.sap_kna1"
    assert raft.rows(sql) == [("0000100001", "2024-01-31", "DATE")]
    with raft.open() as project:
        name = TableName.parse("bronze.sap_kna1")
        shown = detail(project.project, project.lake, name, project.lake.open(name).schema)
    said = {column.name: (column.description, column.pii) for column in shown.columns}
    assert said["cpf"] == ("Tax number", "cpf")
    assert said["customer_number"] == ("Customer number", None)


def test_what_the_dictionary_calls_personal_keeps_no_statistics(raft: Raft) -> None:
    raft.ok()
    log = "".join(p.read_text("utf-8") for p in (raft.root / "lake/bronze/sap_kna1/_delta_log").glob("*.json"))
    assert CPF not in log
    assert "Olinda" in log


def test_what_the_stream_says_itself_wins_word_by_word(raft: Raft) -> None:
    stream = "rename: {NAME1: who}, columns: {STCD2: {description: Mine}, who: {pii: null}, created: {type: text}}"
    _declare(raft, stream)
    raft.ok()
    assert _columns(raft) == ["customer_number", "who", "cpf", "created", "ort01"]
    with raft.open() as project:
        found = project.project.sources["sap"].source.streams["kna1"].columns
    assert (found["cpf"].description, found["cpf"].pii) == ("Mine", "cpf")
    assert (found["who"].description, found["who"].pii) == ("Name of the customer", None)
    assert found["created"].type == "text"


def test_a_new_name_is_a_change_of_definition_and_a_new_word_is_none(raft: Raft) -> None:
    _declare(raft, "mode: replace")
    raft.ok()
    raft.write("words.csv", WORDS.replace("Day of creation", "When it was made"))
    assert "changed" not in raft.plan()["bronze.sap_kna1"].reason
    assert raft.ok()["bronze.sap_kna1"].status == "unchanged"
    raft.write("words.csv", WORDS.replace("created", "made_on"))
    step = raft.plan()["bronze.sap_kna1"]
    assert "its columns' names changed" in step.reason
    raft.ok()
    assert set(_columns(raft)) == {"customer_number", "name", "cpf", "made_on", "ort01"}
    assert {r.status for r in raft.ok().values()} == {"unchanged"}


def test_an_append_says_what_a_new_name_leaves_as_it_was(raft: Raft) -> None:
    raft.ok()
    raft.write("words.csv", WORDS.replace("created", "made_on"))
    raft.ok()
    assert any("the values of made_on that were loaded as created stay as they are" in note for note in raft.notes())


def test_a_row_about_another_table_changes_nothing(raft: Raft) -> None:
    raft.ok()
    raft.write("words.csv", WORDS + "VBAK;AUART;order_type;Order type;CHAR 4;\n")
    assert "changed" not in raft.plan()["bronze.sap_kna1"].reason


def test_a_stream_may_say_under_which_name_a_dictionary_knows_it(raft: Raft) -> None:
    words = "{path: words.csv, only: KNA1, types: {DATS: date}}"
    raft.source("sap", f"customers: {{path: kna1.csv, dictionary: {words}}}", delimiter='";"')
    raft.write("sap/kna1.csv", KNA1.replace("20240131", "2024-01-31"))
    raft.ok()
    assert raft.rows("select name from bronze.sap_customers") == [("Ana",)]


def test_mistakes_stand_at_the_row_or_the_key(raft: Raft) -> None:
    raft.write("words.csv", WORDS + "KNA1;NAME2;name;Second name;CHAR 35;\n")
    assert _errors(raft) == [("words.csv:8", "`NAME1` (on line 4) and `NAME2` would both be called `name`")]
    (raft.root / "words.csv").unlink()
    assert _errors(raft) == [
        ("sources/sap.yml:5:13", "the dictionary words.csv cannot be read: no such file or directory")
    ]


def test_a_name_that_a_file_has_already_is_refused_at_the_row_that_gives_it(raft: Raft) -> None:
    raft.write("sap/kna1.csv", "KUNNR;CUSTOMER_NUMBER\n1;2\n")
    error = raft.fails()["bronze.sap_kna1"]
    assert (error.code, str(error.place)) == ("LG-206", "words.csv:3")
    assert "columns `KUNNR` and `CUSTOMER_NUMBER` would both be called `customer_number`" in error.message


def _excel(**columns: list[Any]) -> bytes:
    book: Any = openpyxl.Workbook()
    book.active.append(list(columns))
    for row in zip(*columns.values(), strict=True):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"KUNNR": ["1"], "NAME1": ["Ana"]}), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("file", "content", "more"),
    [
        ("x.csv", b"KUNNR,NAME1\n1,Ana\n", ""),
        ("y.csv", b"1,Ana\n", "header: false, names: [KUNNR, NAME1],"),
        ("x.json", b'[{"KUNNR": "1", "NAME1": "Ana"}]', ""),
        ("x.ndjson", b'{"KUNNR": "1", "NAME1": "Ana"}\n', ""),
        ("x.xml", b"<r><c><KUNNR>1</KUNNR><NAME1>Ana</NAME1></c></r>", ""),
        ("x.parquet", _parquet(), ""),
        ("x.xlsx", _excel(KUNNR=["1"], NAME1=["Ana"]), ""),
        ("x.dat", b"1Ana\n", "format: fixed, columns: {KUNNR: {width: 1}, NAME1: {width: 3}},"),
    ],
)
def test_every_format_lands_under_the_names_of_an_excel_dictionary(
    tmp_path: Path, file: str, content: bytes, more: str
) -> None:
    raft = Raft(tmp_path)
    raft.write("words.xlsx", _excel(Campo=["KUNNR", "NAME1"], Nome=["customer", "name"]))
    raft.write(f"land/{file}", content)
    raft.source("land", f"s: {{path: {file}, {more} dictionary: words.xlsx}}")
    raft.ok()
    assert raft.rows("select customer, name from bronze.land_s") == [("1", "Ana")]


def test_an_excel_dictionary_with_an_error_in_a_cell_is_refused_at_its_row(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    raft.write("words.xlsx", _excel(Campo=["A", "B"], Nome=["x", "#N/A"]))
    raft.source("land", "s: {path: x.csv, dictionary: words.xlsx}")
    assert _errors(raft) == [("words.xlsx!Sheet:3", "cell B3 holds #N/A")]


def test_a_dictionary_about_none_of_the_columns_is_told(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    raft.write("words.csv", "column,name\nZZZ,nothing\n")
    raft.write("land/x.csv", "a,b\n1,2\n")
    raft.source("land", "s: {path: x.csv, dictionary: words.csv}")
    raft.ok()
    assert "no row of the dictionary is about a column of these files" in raft.notes()
