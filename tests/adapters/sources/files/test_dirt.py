"""Dirty delimited files: every record is loaded exactly or refused with its file, line and reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]


def sources(loaded: Any) -> list[str]:
    return [row["_source"] for row in loaded.rows]


def test_records_with_too_few_or_too_many_fields_are_refused_with_their_line(load: Load, put: Put) -> None:
    put("x.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")
    loaded = load({"path": "x.csv"})
    assert sources(loaded) == ["x.csv:2", "x.csv:5"]
    assert [(r.line, r.raw) for r in loaded.rejects] == [(3, "3"), (4, "4,5,6")]
    assert loaded.rejects[0].reason == "it has 1 field where 2 are expected"


def test_an_unclosed_quote_gives_up_its_own_line_alone(load: Load, put: Put) -> None:
    put("x.csv", 'a,b\n1,"x\n2,"y"\n3,z\n4,"never\n')
    loaded = load({"path": "x.csv"})
    assert sources(loaded) == ["x.csv:3", "x.csv:4"]
    assert [r.line for r in loaded.rejects] == [2, 5]
    assert {r.reason for r in loaded.rejects} == {"a quote is never closed"}


def test_text_after_a_closing_quote_is_refused(load: Load, put: Put) -> None:
    put("x.csv", 'a,b\n"x"y,2\n"p" "q",3\n5" pipe,4\n')
    loaded = load({"path": "x.csv"})
    assert loaded.rows == [{"a": '5" pipe', "b": "4", "_source": "x.csv:4"}]
    assert [r.line for r in loaded.rejects] == [2, 3]


def test_records_that_span_lines_say_where_they_start(load: Load, put: Put) -> None:
    put("x.csv", 'a,b\n1,"x\ny\r\nz"\n\n2,"p;""q"""\n3,\n')
    loaded = load({"path": "x.csv"})
    assert sources(loaded) == ["x.csv:2", "x.csv:6", "x.csv:7"]
    assert loaded.column("b") == ["x\ny\r\nz", 'p;"q"', None]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_one(load: Load, put: Put, end: str) -> None:
    put("x.csv", end.join(["a,b", "1,2", "", "3,4"]))
    assert sources(load({"path": "x.csv"})) == ["x.csv:2", "x.csv:4"]


def test_mixed_line_ends_are_read(load: Load, put: Put) -> None:
    put("x.csv", b"a,b\r\n1,2\n3,4\r5,6\r\n")
    loaded = load({"path": "x.csv"})
    assert loaded.column("b") == ["2", "4", "6"]
    assert sources(loaded) == ["x.csv:2", "x.csv:3", "x.csv:4"]


def test_an_empty_field_is_null_and_a_quoted_one_is_not(load: Load, put: Put) -> None:
    put("x.csv", 'a,b,c\n,"",NULL\n')
    assert load({"path": "x.csv"}).rows == [{"a": None, "b": "", "c": "NULL", "_source": "x.csv:2"}]
    listed = load({"path": "x.csv", "null_values": ["", "NULL"]})
    assert listed.rows == [{"a": None, "b": None, "c": None, "_source": "x.csv:2"}]


def test_identifiers_stay_text_until_a_type_is_declared(load: Load, put: Put) -> None:
    put("x.csv", "cep,cpf,day\n01310-100,00123456789,20240131\n")
    loaded = load({"path": "x.csv"})
    assert loaded.rows[0]["cpf"] == "00123456789"
    assert set(loaded.columns.values()) == {"string"}


def test_nul_bytes_and_replacement_characters_are_text(load: Load, put: Put) -> None:
    put("x.csv", "a,b\nx\0y,\ufffd\n")
    assert load({"path": "x.csv"}).rows == [{"a": "x\0y", "b": "\ufffd", "_source": "x.csv:2"}]


def test_a_field_of_three_megabytes_is_read(load: Load, put: Put) -> None:
    put("x.csv", f"a,b\n1,{'x' * 3_000_000}\n2,y\n")
    assert [len(v) for v in load({"path": "x.csv"}).column("b")] == [3_000_000, 1]


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b"])
def test_a_file_without_records_has_no_rows(load: Load, put: Put, content: str) -> None:
    put("x.csv", content)
    loaded = load({"path": "x.csv"})
    assert (loaded.rows, loaded.rejects) == ([], [])


def test_comments_skipped_lines_and_blank_lines_are_no_records(load: Load, put: Put) -> None:
    put("x.csv", "Report of May\n\n# made by hand\na;b\n1;2\n#3;4\n\n5;6\n")
    loaded = load({"path": "x.csv", "skip": 1, "comment": "#", "delimiter": ";"})
    assert sources(loaded) == ["x.csv:5", "x.csv:8"]


def test_a_blank_line_of_a_single_column_is_a_null(load: Load, put: Put) -> None:
    put("x.csv", "a\n1\n\n3\n")
    assert load({"path": "x.csv"}).column("a") == ["1", None, "3"]


def test_other_quotes_escapes_and_delimiters_are_read(load: Load, put: Put) -> None:
    put("x.csv", "a||b\n'x||y'||'it\\'s'\n'p\\\\'||2\n")
    loaded = load({"path": "x.csv", "delimiter": "||", "quote": "'", "escape": "\\"})
    assert [(r["a"], r["b"]) for r in loaded.rows] == [("x||y", "it's"), ("p\\", "2")]
    put("y.tsv", 'a\tb\n"1\t2\n')
    assert load({"path": "y.tsv", "quote": ""}).rows == [{"a": '"1', "b": "2", "_source": "y.tsv:2"}]


def test_blanks_around_quoted_fields_are_ignored(load: Load, put: Put) -> None:
    put("x.csv", 'a, "b" ,c\n  "1"  ,"2\r",  "3\n" \n "a ""b""" , x , "" \n')
    first, second = load({"path": "x.csv"}).rows
    assert first == {"a": "1", "b": "2\r", "c": "3\n", "_source": "x.csv:2"}
    assert second == {"a": 'a "b"', "b": " x ", "c": "", "_source": "x.csv:5"}


def test_blanks_stay_unless_trimmed(load: Load, put: Put) -> None:
    put("x.csv", "a,b\n x ,  \n")
    assert load({"path": "x.csv"}).rows[0]["a"] == " x "
    trimmed = load({"path": "x.csv", "trim": True}).rows[0]
    assert (trimmed["a"], trimmed["b"]) == ("x", None)


def test_a_refused_value_says_column_value_and_type_and_keeps_the_record(load: Load, put: Put) -> None:
    put("x.csv", 'id,amount,note\n1,"1,239","a,b"\n')
    columns = {"id": {"type": "bigint"}, "amount": {"type": "decimal(12, 2)"}}
    loaded = load({"path": "x.csv", "decimal": ",", "columns": columns})
    assert loaded.reasons() == ['x.csv:2 amount: "1,239" is not a decimal(12, 2)']
    assert loaded.refused[0]["_raw"] == '1,"1,239","a,b"'


def test_no_message_shows_a_personal_value_and_no_record_a_dropped_one(load: Load, put: Put) -> None:
    put("x.csv", "cpf,notes,n\n123x,SECRET,1\n9,SECRET,z\n1,SECRET\n")
    columns = {"cpf": {"type": "bigint", "pii": "cpf"}, "notes": {"drop": True}, "n": {"type": "integer"}}
    loaded = load({"path": "x.csv", "columns": columns})
    assert loaded.reasons()[1] == "x.csv:2 cpf: the value is not a bigint"
    assert [r["_raw"] for r in loaded.refused] == ["123x,1", "9,z"]
    assert loaded.rejects[0].raw is None
    assert "SECRET" not in repr(loaded)


def test_headers_are_made_into_names_that_delta_takes(load: Load, put: Put) -> None:
    put("x.csv", 'Região - Sigla;Valor de Venda;"Preço (R$)";OrderID;_x\n1;2;3;4;5\n')
    loaded = load({"path": "x.csv", "delimiter": ";"})
    assert list(loaded.columns) == ["região_sigla", "valor_de_venda", "preço_r", "orderid", "_x"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("a,a", "columns `a` and `a` would both be called `a`"),
        ("a,A", "columns `a` and `A` would both be called `a`"),
        ("a,", "column 2 of the header has no name"),
        ("a,_source", "the name `_source` is kept for Lagoa's own columns"),
    ],
)
def test_unusable_headers_are_an_error_that_names_them(load: Load, put: Put, header: str, said: str) -> None:
    put("x.csv", f"{header}\n1,2\n")
    with pytest.raises(SourceError, match=said) as caught:
        load({"path": "x.csv"})
    assert caught.value.code == "LG-206"
    assert load({"path": "x.csv", "names": ["one", "two"]}).rows == [{"one": "1", "two": "2", "_source": "x.csv:2"}]


def test_a_file_without_header_has_the_given_names_or_numbers(load: Load, put: Put) -> None:
    put("x.csv", "1,2\n3,4\n")
    assert list(load({"path": "x.csv", "header": False}).columns) == ["column_1", "column_2"]
    named = load({"path": "x.csv", "header": False, "names": ["a", "b"]})
    assert named.rows[0] == {"a": "1", "b": "2", "_source": "x.csv:1"}


def test_columns_and_keys_may_be_spelled_as_in_the_file(load: Load, put: Put) -> None:
    put("x.csv", "Valor de Venda,Id\n1.5,2\n")
    loaded = load({"path": "x.csv", "columns": {"Valor de Venda": {"type": "double"}}, "mode": "merge", "key": "Id"})
    assert loaded.columns == {"valor_de_venda": "double", "id": "string"}


def test_reordered_and_missing_columns_go_by_name(load: Load, put: Put) -> None:
    put("1.csv", "a,b\n1,2\n")
    put("2.csv", "b,a,c\n4,3,5\n")
    put("3.csv", "b\n6\n")
    loaded = load({"path": "*.csv"})
    shown = [(r["a"], r["b"], r["c"]) for r in sorted(loaded.rows, key=lambda r: str(r["_source"]))]
    assert list(loaded.columns) == ["a", "b", "c"]
    assert shown == [("1", "2", None), ("3", "4", "5"), (None, "6", None)]


def test_a_thousand_small_files_are_few_portions(load: Load, put: Put) -> None:
    for n in range(300):
        put(f"in/{n}.csv", f"a\n{n}\n")
    loaded = load({"path": "in/*.csv"})
    assert loaded.portions == 1
    assert sources(loaded) == [f"in/{n}.csv:2" for n in range(300)]
