"""What rows of a dictionary say, in whatever words its columns are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lagoa.errors import ProjectError
from lagoa.kit.dictionary.declared import Dictionary
from lagoa.kit.dictionary.entries import Entry, about, entries
from lagoa.kit.dictionary.rows import read_rows

Read = Callable[..., list[Entry]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a CSV dictionary of some text, with keys beside its path."""

    def entries_of(text: str | bytes, **keys: Any) -> list[Entry]:
        path = tmp_path / "words.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        declared = Dictionary(path="words.csv", **keys)
        return entries(read_rows(path, "words.csv", None, _no_workbook), declared)

    return entries_of


def _no_workbook(path: Path) -> Any:
    raise AssertionError(f"{path} is no workbook")


def _said(found: list[Entry]) -> list[tuple[Any, ...]]:
    return [(e.place.line, e.spelled, e.stream, e.name, e.description, e.type, e.pii) for e in found]


@pytest.mark.parametrize(
    "header",
    [
        "column;name;description;type;pii",
        "Field;New name;Meaning;Data type;Personal",
        "Campo;Nome novo;Descrição;Tipo;Dado pessoal",
        "COLUNA;NOME;SIGNIFICADO;TIPO_DE_DADO;LGPD",
    ],
)
def test_its_columns_are_known_in_english_and_portuguese(read: Read, header: str) -> None:
    found = read(f"{header}\nKUNNR;customer_number;Customer number;CHAR 10;\nSTCD2;cpf;Taxpayer;text;cpf\n")
    assert _said(found) == [
        (2, "KUNNR", None, "customer_number", "Customer number", "text", None),
        (3, "STCD2", None, "cpf", "Taxpayer", "text", "cpf"),
    ]


def test_keys_say_which_column_holds_what_and_which_do_not_count(read: Read) -> None:
    found = read("A,B,type\nKUNNR,customer,DATS\n", column="A", name="B", type="")
    assert _said(found) == [(2, "KUNNR", None, "customer", None, None, None)]


def test_titles_blank_lines_tabs_and_latin_1_are_found_out(read: Read) -> None:
    text = "Dicionário de dados\n\nCampo\tNome\tDescrição\n\nNAME1\tnome\tNome do cliente, em português\n"
    assert _said(read(text.encode("latin-1"))) == [
        (5, "NAME1", None, "nome", "Nome do cliente, em português", None, None)
    ]


def test_utf_16_as_excel_exports_it_is_read(read: Read) -> None:
    assert _said(read("Campo;Nome\nNAME1;razão\n".encode("utf-16"))) == [(2, "NAME1", None, "razão", None, None, None)]


@pytest.mark.parametrize(
    ("word", "types", "kind"),
    [
        ("CHAR 10", {}, "text"),
        ("VARCHAR2(40)", {}, "text"),
        ("decimal 13,2", {}, "decimal(13, 2)"),
        ("Bigint", {}, "bigint"),
        ("DATS 8", {"DATS": "date"}, "date"),
        ("CURR 13,2", {"curr": "decimal"}, "decimal(13, 2)"),
        ("CURR 13,2", {"CURR 13,2": "double"}, "double"),
    ],
)
def test_types_are_ours_or_what_the_user_says_of_theirs(
    read: Read, word: str, types: dict[str, str], kind: str
) -> None:
    assert read(f"column;type\nA;{word}\n", types=types)[0].type == kind


@pytest.mark.parametrize(("word", "kind"), [("sim", "personal"), ("x", "personal"), ("não", None), ("-", None)])
def test_yes_and_no_say_whether_a_column_is_personal(read: Read, word: str, kind: str | None) -> None:
    assert read(f"column;pii\nA;{word}\n")[0].pii == kind


def test_what_names_the_stream_wins_over_what_speaks_of_all(read: Read) -> None:
    found = read("tabela;campo;nome\n;ID;id_geral\nKNA1;ID;cliente\nVBAK;ID;pedido\n")
    assert about(found, "kna1")["id"].name == "cliente"
    assert about(found, "other")["id"].name == "id_geral"


def test_two_columns_of_two_streams_may_have_one_name(read: Read) -> None:
    found = read("table;column;name\nKNA1;KUNNR;customer\nVBAK;KUNAG;customer\n")
    assert [list(about(found, name)) for name in ("KNA1", "VBAK")] == [["kunnr"], ["kunag"]]


def test_two_columns_that_change_names_do_not_clash(read: Read) -> None:
    assert {p: e.called for p, e in about(read("column,name\na,b\nb,a\n"), "s").items()} == {"a": "b", "b": "a"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "the dictionary is empty"),
        ("column;name\nA;b;c\n", 2, "the row has 3 fields where 2 are expected"),
        ("column;name\n;b\n", 2, "the row does not say which column it is about"),
        ("column;name\nA;%\n", 2, "`%` leaves no name for `A`"),
        ("column;name\nA;_source\n", 2, "the name `_source` is kept for Lagoa's own columns"),
        ("column;type\nA;DATS 8\n", 2, "`DATS 8` is not a type"),
        ("column;name\nA;x\nB;x\n", 3, "`A` (on line 2) and `B` would both be called `x`"),
        ("column;name\nA;b\nB;\n", 3, "`A` (on line 2) and `B` would both be called `b`"),
        ("column;name\nA;x\na;y\n", 3, "`a` is there a second time, otherwise than on line 2"),
        ("name;description\nA;x\n", 1, "no column of the dictionary seems to hold the spelling in the files"),
        ("column;x\nA;x\n", 1, "no column of the dictionary seems to hold the new name, description, type or pii"),
        ("column;campo;name\nA;x;y\n", 1, "columns `column` and `campo` of the dictionary may both be its `column`"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(read: Read, text: str, line: int | None, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        about(read(text), "s")
    error = caught.value
    assert (error.code, error.place and error.place.file, error.place and error.place.line) == (
        "LG-116",
        "words.csv",
        line,
    )
    assert error.message == words


def test_the_same_row_twice_is_one(read: Read) -> None:
    assert len(about(read("column;name\nA;x\nA;x\n"), "s")) == 1


def test_damaged_utf_8_is_refused_with_its_line(read: Read) -> None:
    with pytest.raises(ProjectError, match="not valid utf-8") as caught:
        read("column;name\nA;ação, então\n".encode() + b"B;x\xff\n")
    assert caught.value.place is not None
    assert caught.value.place.line == 3


def test_a_broken_row_below_many_good_ones_is_refused_with_its_line(read: Read) -> None:
    good = "".join(f'"A{n}";a{n}\n' for n in range(600))
    with pytest.raises(ProjectError, match="there is text after a closing quote") as caught:
        read(f'column;name\n{good}"B" b;c\n')
    assert caught.value.place is not None
    assert caught.value.place.line == 602
