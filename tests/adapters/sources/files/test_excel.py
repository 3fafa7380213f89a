"""Excel workbooks: typed cells, exact, and no cell with an error in silence."""

from __future__ import annotations

import datetime as dt
import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]
Rows = list[list[Any]]


def saved(book: Any) -> bytes:
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def workbook(rows: Rows, **more: Rows) -> bytes:
    book: Any = openpyxl.Workbook()
    book.active.title = "Dados"
    for name, lines in {"Dados": rows, **more}.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    return saved(book)


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Change one part of a workbook."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return into.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_cells_keep_their_types(load: Load, put: Put) -> None:
    day, moment = dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 10, 20, 30)
    rows: Rows = [
        ["id", "nome", "valor", "dia", "quando", "ativo", "pct", "hora", "duração"],
        [1, "Ana", 1.5, day, moment, True, 0.25, dt.time(10, 20), dt.timedelta(hours=30)],
        [2.0, "001", 2, day, dt.datetime(2024, 2, 1), False, 1, None, None],
        [3, None, None, None, None, None, None, None, None],
    ]
    put("x.xlsx", workbook(rows))
    loaded = load({"path": "x.xlsx"})
    assert loaded.columns == {
        "id": "int64",
        "nome": "string",
        "valor": "double",
        "dia": "date32[day]",
        "quando": "timestamp[us]",
        "ativo": "bool",
        "pct": "double",
        "hora": "string",
        "duração": "string",
    }
    first, second, third = loaded.rows
    assert list(first.values())[:9] == [1, "Ana", 1.5, day, moment, True, 0.25, "10:20:00", "30:00:00"]
    assert (second["id"], second["nome"], second["quando"]) == (2, "001", dt.datetime(2024, 2, 1))
    assert third == {**dict.fromkeys(loaded.columns), "id": 3, "_source": "x.xlsx!Dados:4"}


def test_a_column_of_many_kinds_is_text_as_excel_shows_it(load: Load, put: Put) -> None:
    values = [1, 2.5, "x", True, dt.date(2024, 1, 31), 0.1 + 0.2, 10**12, "007"]
    put("x.xlsx", workbook([["v"], *([v] for v in values)]))
    wanted = ["1", "2.5", "x", "true", "2024-01-31", "0.3", "1000000000000", "007"]
    assert load({"path": "x.xlsx"}).column("v") == wanted


def test_declared_types_are_read_exactly_or_refused(load: Load, put: Put) -> None:
    put("x.xlsx", workbook([["código", "valor"], [7, 1.1], [8, 1.125], ["009", 2]]))
    columns = {"código": {"type": "text"}, "valor": {"type": "decimal(12, 2)"}}
    loaded = load({"path": "x.xlsx", "columns": columns})
    assert [(r["código"], str(r["valor"])) for r in loaded.rows] == [("7", "1.10"), ("009", "2.00")]
    assert loaded.reasons() == ['x.xlsx!Dados:3 valor: "1.125" is not a decimal(12, 2)']


def test_a_number_that_a_formula_blurred_is_the_number_that_excel_shows(load: Load, put: Put) -> None:
    data = rewritten(workbook([["v"], [1]]), SHEET, lambda xml: xml.replace(b"<v>1</v>", b"<v>12.340000000000002</v>"))
    put("x.xlsx", data)
    assert str(load({"path": "x.xlsx", "columns": {"v": {"type": "decimal(12, 2)"}}}).column("v")[0]) == "12.34"
    assert load({"path": "x.xlsx"}).column("v") == [12.340000000000002]


def test_cells_with_errors_are_refused_with_their_address(load: Load, put: Put) -> None:
    book: Any = openpyxl.Workbook()
    for row in (["id", "a", "b"], [1, "#REF!", 1], [2, 2, 2], [3, "#N/A", "#DIV/0!"], ["#NAME?", None, None]):
        book.active.append(row)
    for cell in ("B2", "B4", "C4", "A5"):
        book.active[cell].data_type = "e"
    put("x.xlsx", saved(book))
    loaded = load({"path": "x.xlsx"})
    assert loaded.column("id") == [2]
    assert loaded.reasons() == [
        "x.xlsx!Sheet:2 a: cell B2 holds #REF!",
        "x.xlsx!Sheet:4 a: cell B4 holds #N/A; b: cell C4 holds #DIV/0!",
        "x.xlsx!Sheet:5 id: cell A5 holds #NAME?",
    ]
    assert loaded.refused[0]["_raw"] == '{"id":1,"a":null,"b":1}'
    dropped = load({"path": "x.xlsx", "columns": {"a": {"drop": True}}})
    assert [r["id"] for r in dropped.rows] == [1, 2]


def test_a_formula_gives_its_computed_value_and_one_without_is_refused(load: Load, put: Put) -> None:
    put("x.xlsx", workbook([["v"], ["=1+1"], [5]]))
    loaded = load({"path": "x.xlsx"})
    assert loaded.column("v") == [5]
    assert loaded.reasons() == ["x.xlsx!Dados:2 v: cell A2 holds a formula without a computed value"]
    computed = rewritten(
        workbook([["v"], ["=1+1"], ['=""']]),
        SHEET,
        lambda xml: re.sub(rb'<c r="A3">', b'<c r="A3" t="str">', re.sub(rb"(1\+1</f>)<v ?/>", rb"\1<v>2</v>", xml)),
    )
    put("x.xlsx", computed)
    assert load({"path": "x.xlsx"}).reasons() == []
    assert load({"path": "x.xlsx"}).column("v") == [2]


@pytest.mark.parametrize("way", ["careful", "quick"])
def test_xml_written_in_another_way_shows_the_same_cells(load: Load, put: Put, way: str) -> None:
    book: Any = openpyxl.Workbook()
    for row in (["id", "a"], [1, "#REF!"], [2, "=1+1"], [3, 3]):
        book.active.append(row)
    book.active["B2"].data_type = "e"

    def changed(xml: bytes) -> bytes:
        return re.sub(rb'<c r="([A-Z]+\d+)"', rb"<c\n r='\1'", xml) if way == "careful" else xml

    put("x.xlsx", rewritten(saved(book), SHEET, changed))
    loaded = load({"path": "x.xlsx"})
    assert loaded.column("a") == [3]
    assert [r.partition(" ")[2] for r in loaded.reasons()] == [
        "a: cell B2 holds #REF!",
        "a: cell B3 holds a formula without a computed value",
    ]


# ---------------------------------------------------------------- which cells
def test_sheets_are_chosen_by_name_number_or_pattern_and_hidden_ones_only_by_name(load: Load, put: Put) -> None:
    book: Any = openpyxl.load_workbook(
        io.BytesIO(workbook([["id"], [1]], jan=[["id"], [2]], jun=[["id", "x"], [3, "a"]]))
    )
    book["jan"].sheet_state = "hidden"
    book.create_chartsheet("gráfico")
    put("x.xlsx", saved(book))
    assert load({"path": "x.xlsx"}).column("id") == [1]
    assert load({"path": "x.xlsx", "sheet": "jan"}).column("id") == [2]
    assert load({"path": "x.xlsx", "sheet": 3}).rows == [{"id": 3, "x": "a", "_source": "x.xlsx!jun:2"}]
    assert load({"path": "x.xlsx", "sheet": "j*"}).column("id") == [3]
    assert load({"path": "x.xlsx", "sheet": "*"}).column("x") == [None, "a"]
    for wrong in ("nope", 7, "z*"):
        with pytest.raises(SourceError, match=r"x\.xlsx has no sheet") as caught:
            load({"path": "x.xlsx", "sheet": wrong})
        assert (caught.value.code, "Dados, jan, jun" in str(caught.value.hint)) == ("LG-203", True)


def test_a_table_may_stand_anywhere(load: Load, put: Put) -> None:
    rows: Rows = [
        ["Relatório de vendas"],
        [],
        [None, None, "id", "valor", None, "outra"],
        [None, None, 1, 2.5, None, "x"],
        [None, None, None, None, None, None],
        [None, None, 2, 3.5, None, "y"],
        [None, None, "Total", 6, None, None],
    ]
    put("x.xlsx", workbook(rows))
    loaded = load({"path": "x.xlsx", "range": "C3:D", "skip_last": 1})
    assert [(r["id"], r["valor"], r["_source"]) for r in loaded.rows] == [
        (1, 2.5, "x.xlsx!Dados:4"),
        (2, 3.5, "x.xlsx!Dados:6"),
    ]
    assert load({"path": "x.xlsx", "range": "C3:D4"}).column("id") == [1]
    assert load({"path": "x.xlsx", "range": "C:D", "skip": 2, "skip_last": 1}).column("id") == [1, 2]
    assert load({"path": "x.xlsx", "skip": 1, "skip_last": 1}).column("outra") == ["x", "y"]
    bare = load({"path": "x.xlsx", "range": "C4:D6", "header": False, "names": ["a", "b"]})
    assert bare.column("b") == [2.5, 3.5]
    assert load({"path": "x.xlsx", "range": "C4:D6", "header": False}).column("column_2") == [2.5, 3.5]


def test_a_header_of_two_rows_is_joined_and_merged_cells_may_be_filled(load: Load, put: Put) -> None:
    book: Any = openpyxl.Workbook()
    for row in (
        ["", "2023", None, "2024", None],
        ["loja", "jan", "fev", "jan", "fev"],
        ["A", 1, 2, 3, 4],
        [None, 5, 6, 7, 8],
    ):
        book.active.append(row)
    book.active.merge_cells("A3:A4")
    put("x.xlsx", saved(book))
    loaded = load({"path": "x.xlsx", "header": 2})
    assert list(loaded.columns) == ["loja", "2023_jan", "2023_fev", "2024_jan", "2024_fev"]
    assert loaded.column("loja") == ["A", None]
    assert load({"path": "x.xlsx", "header": 2, "merged": "fill"}).column("loja") == ["A", "A"]


def test_a_column_with_values_and_no_name_is_an_error_and_one_without_values_is_none(load: Load, put: Put) -> None:
    put("x.xlsx", workbook([["id", None, "b"], [1, None, 2]]))
    assert list(load({"path": "x.xlsx"}).columns) == ["id", "b"]
    put("x.xlsx", workbook([["id", None, "b"], [1, "?", 2]]))
    with pytest.raises(SourceError, match="column 2 of the header has no name") as caught:
        load({"path": "x.xlsx"})
    assert caught.value.code == "LG-206"


def test_sheets_and_files_are_matched_by_name_in_a_common_type(load: Load, put: Put) -> None:
    put("1.xlsx", workbook([["id", "v", "d"], [1, 1, dt.date(2024, 1, 1)]]))
    put("2.xlsx", workbook([["v", "id", "d"], [1.5, "x", dt.datetime(2024, 1, 1, 12)]]))
    loaded = load({"path": "*.xlsx"})
    assert (loaded.column("id"), loaded.column("v")) == (["1", "x"], [1.0, 1.5])
    assert loaded.column("d") == [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 12)]


def test_dates_of_a_mac_are_the_same_dates(load: Load, put: Put) -> None:
    book: Any = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in (["d"], [dt.date(1904, 1, 2)], [dt.date(2024, 2, 29)]):
        book.active.append(row)
    put("x.xlsx", saved(book))
    assert load({"path": "x.xlsx"}).column("d") == [dt.date(1904, 1, 2), dt.date(2024, 2, 29)]


def test_workbooks_are_read_from_archives_and_are_news_once(load: Load, put: Put) -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("dados.xlsx", workbook([["id"], [1]]))
    put("a.zip", into.getvalue())
    first = load({"path": "*.zip", "mode": "append"})
    assert first.rows == [{"id": 1, "_source": "a.zip!dados.xlsx!Dados:2"}]
    assert load({"path": "*.zip", "mode": "append"}, since=first.cursor).batches == 0


def test_blanks_and_words_for_null_become_null(load: Load, put: Put) -> None:
    put("x.xlsx", workbook([["a", "b"], [" x ", "n/d"], ["  ", "y"]]))
    loaded = load({"path": "x.xlsx", "trim": True, "null_values": ["n/d"]})
    assert (loaded.column("a"), loaded.column("b")) == (["x", None], [None, "y"])


def test_an_empty_sheet_has_no_rows(load: Load, put: Put) -> None:
    put("x.xlsx", workbook([]))
    put("y.xlsx", workbook([["id", "nome"]]))
    assert load({"path": "x.xlsx"}).rows == []
    assert load({"path": "y.xlsx"}).columns == {"id": "string", "nome": "string"}


# ---------------------------------------------------------------- what cannot be read
def test_what_is_no_workbook_is_an_error_that_names_the_file(load: Load, put: Put) -> None:
    whole = workbook([["id"], *([i] for i in range(2000))])
    for broken in (b"", b"id,name\n1,2\n", whole[:-200], whole[: len(whole) // 2]):
        put("x.xlsx", broken)
        with pytest.raises(SourceError, match=r"x\.xlsx cannot be read") as caught:
            load({"path": "x.xlsx"})
        assert caught.value.code == "LG-202"


def test_two_cells_far_apart_do_not_fill_memory(load: Load, put: Put) -> None:
    book: Any = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "id", 1
    plain = saved(book)
    hidden = rewritten(plain, SHEET, lambda xml: xml.replace(b'<c r="XFD1048576"', b"<c\tr='XFD1048576'"))
    for data in (plain, hidden):
        put("x.xlsx", data)
        began = time.monotonic()
        with pytest.raises(SourceError, match="spans 1,048,576 rows and 16,384 columns") as caught:
            load({"path": "x.xlsx"})
        assert (caught.value.code, time.monotonic() - began < 5) == ("LG-210", True)


def test_a_bomb_and_a_document_type_are_refused(load: Load, put: Put) -> None:
    whole = workbook([["id"], [1]])
    put("x.xlsx", rewritten(whole, "xl/styles.xml", lambda xml: xml + b" " * (200 << 20)))
    with pytest.raises(SourceError, match="unpacks to more than 300 times") as caught:
        load({"path": "x.xlsx"})
    assert caught.value.code == "LG-210"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">]>'
    put("x.xlsx", rewritten(whole, "xl/workbook.xml", lambda xml: laughs + xml))
    with pytest.raises(SourceError, match="document type"):
        load({"path": "x.xlsx"})


# ---------------------------------------------------------------- what was written is read
TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), min_size=1, max_size=8
)
KINDS = {
    "text": TEXTS.filter(lambda t: t.strip() == t and not t.startswith("=") and "_x" not in t),
    "bigint": st.integers(-(10**14), 10**14),
    "double": st.decimals(-(10**6), 10**6, places=3).map(float).filter(lambda v: v != int(v)),
    "boolean": st.booleans(),
    "date": st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31)),
    "timestamp": st.datetimes(dt.datetime(1900, 3, 1, 1), dt.datetime(2100, 1, 1)).map(
        # Excel tells a day from its midnight by the look of a cell alone
        lambda v: v.replace(hour=v.hour or 1, microsecond=v.microsecond // 1000 * 1000)
    ),
}
TABLES = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5).flatmap(
    lambda kinds: st.lists(st.tuples(*(st.none() | KINDS[k] for k in kinds)), min_size=1, max_size=8)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES)
def test_random_tables_are_read_as_they_were_written(load: Load, put: Put, rows: list[tuple[Any, ...]]) -> None:
    names = [f"c{n}" for n in range(len(rows[0]))]
    put("x.xlsx", workbook([["nr", *names], *([n, *row] for n, row in enumerate(rows))]))
    loaded = load({"path": "x.xlsx"})
    assert loaded.reasons() == []
    assert loaded.column("nr") == list(range(len(rows)))
    for nth, name in enumerate(names):
        assert loaded.column(name) == [row[nth] for row in rows], loaded.columns


@pytest.mark.parametrize("careful", [False, True])
def test_a_day_before_the_calendar_is_refused_and_a_negative_number_is_none(
    load: Load, put: Put, careful: bool
) -> None:
    """The driver reads such a day as a time of day: -5 as midnight."""
    book: Any = openpyxl.Workbook()
    book.active.title = "Dados"
    book.active.append(["d", "n"])
    for day, number in ((-5, -5), (1.5, -1), (-0.5, 2)):
        book.active.append([day, number])
        book.active.cell(book.active.max_row, 1).number_format = "yyyy-mm-dd"
        book.active.cell(book.active.max_row, 2).number_format = "[Red]0.00"
    data = saved(book)
    put("x.xlsx", rewritten(data, SHEET, lambda xml: xml.replace(b'<c r="A1"', b"<c r='A1'")) if careful else data)
    loaded = load({"path": "x.xlsx"})
    assert loaded.column("n") == [-1]
    assert loaded.reasons() == [
        "x.xlsx!Dados:2 d: cell A2 holds the day -5, before the calendar begins",
        "x.xlsx!Dados:4 d: cell A4 holds the day -0.5, before the calendar begins",
    ]
