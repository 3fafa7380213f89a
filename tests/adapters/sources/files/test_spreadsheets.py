"""Workbooks of Excel 97 to 2003 (.xls) and of LibreOffice (.ods): the same promises as for .xlsx."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.errors import SourceError
from lagoa.kit.excel.biff import Biff

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]

DAY, MOMENT = xlwt.easyxf(num_format_str="YYYY-MM-DD"), xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
CLOCK, HOURS = xlwt.easyxf(num_format_str="HH:MM:SS"), xlwt.easyxf(num_format_str="[H]:MM:SS")
NOT_AVAILABLE = 0x2A
ALPHA = dt.datetime(2024, 1, 31, 10, 20, 30)
HEAD = ["id", "valor", "nome", "ok", "dia", "hora", "relógio", "horas", "código"]
TRUTH = [1, 12.34, "ação", True, dt.date(2024, 1, 31), ALPHA, "10:20:30", "30:00:00", "00123"]


def xls(*sheets: list[list[Any]], names: tuple[str, ...] = ("Dados", "Mais")) -> Any:
    """Make a workbook; a cell is a value, or (value, style), or an int of (error,)."""
    book = xlwt.Workbook()
    for name, lines in zip(names, sheets, strict=False):
        sheet = book.add_sheet(name)
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                if isinstance(cell, tuple) and len(cell) == 1:
                    sheet.row(row).set_cell_error(column, cell[0])
                elif cell is not None:
                    sheet.write(row, column, *(cell if isinstance(cell, tuple) else (cell,)))
    return book


def saved(book: Any) -> bytes:
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


ROW_XLS: list[Any] = [
    1,
    12.34,
    "ação",
    True,
    (dt.date(2024, 1, 31), DAY),
    (ALPHA, MOMENT),
    (dt.time(10, 20, 30), CLOCK),
]
ROW_XLS += [(1.25, HOURS), "00123"]
NAMESPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
    for short in ("office", "table", "text", "style")
)
CALC = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
VALUE = {"float": "value", "date": "date-value", "time": "time-value", "boolean": "boolean-value"}


def cell(kind: str = "", value: str | None = None, shown: str = "", more: str = "") -> str:
    """Write a cell as LibreOffice does."""
    said = f' office:value-type="{kind}" calcext:value-type="{kind}"' if kind else ""
    said += f' office:{VALUE[kind]}="{value}"' if value is not None else ""
    return f"<table:table-cell{said} {more}>{f'<text:p>{shown}</text:p>' if shown else ''}</table:table-cell>"


def texts(*values: str) -> str:
    return line(*(cell("string", None, value) for value in values))


def line(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def ods(*sheets: str, manifest: str = "<manifest/>", hidden: int = -1) -> bytes:
    """Write a spreadsheet: one table for each sheet's rows."""
    style = '<style:style style:name="gone" style:family="table"><style:table-properties table:display="false"/>'
    tables = "".join(
        f'<table:table table:name="Dados{n or ""}" table:style-name="{"gone" if n == hidden else "ta1"}">'
        f"<table:table-column/>{rows}</table:table>"
        for n, rows in enumerate(sheets)
    )
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} {CALC}>'
            f"<office:automatic-styles>{style}</style:style></office:automatic-styles>"
            f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
        )
    return into.getvalue()


ROW_ODS = line(
    cell("float", "1", "1"),
    cell("float", "12.34", "12,34"),
    cell("string", None, "ação"),
    cell("boolean", "true", "VERDADEIRO"),
    cell("date", "2024-01-31", "31/01/24"),
    cell("date", "2024-01-31T10:20:30", "x"),
    cell("time", "PT10H20M30S", "x"),
    cell("time", "PT30H00M00S", "x"),
    cell("string", None, "00123"),
)
FILES = {"x.xls": saved(xls([HEAD, ROW_XLS])), "x.ods": ods(texts(*HEAD) + ROW_ODS)}


def xlsx() -> bytes:
    book: Any = openpyxl.Workbook()
    for row in (["código"], ["00123"]):
        book.active.append(row)
    return saved(book)


@pytest.mark.parametrize("name", FILES)
def test_cells_have_their_types_and_texts_stay_texts(load: Load, put: Put, name: str) -> None:
    put(name, FILES[name])
    loaded = load({"path": name})
    assert [[row[name] for name in HEAD] for row in loaded.rows] == [TRUTH]
    assert list(loaded.columns.values())[:6] == ["int64", "double", "string", "bool", "date32[day]", "timestamp[us]"]
    assert loaded.rows[0]["_source"] == f"{name}!Dados:2"


@pytest.mark.parametrize("name", [*FILES, "x.xlsx"])
@pytest.mark.parametrize("called", ["x.xls", "x.xlsx", "x.ods"])
def test_a_workbook_is_known_by_its_bytes_whatever_it_is_called(load: Load, put: Put, name: str, called: str) -> None:
    put(called, FILES[name] if name in FILES else xlsx())
    assert load({"path": called}).column("código") == ["00123"]


def test_errors_in_cells_of_xls_are_refused_with_their_address(load: Load, put: Put) -> None:
    put("x.xls", saved(xls([["a", "b"], [1, (NOT_AVAILABLE,)], [2, 3], [(7,), (0x17,)]])))
    loaded = load({"path": "x.xls"})
    assert loaded.column("a") == [2]
    assert loaded.reasons() == [
        "x.xls!Dados:2 b: cell B2 holds #N/A",
        "x.xls!Dados:4 a: cell A4 holds #DIV/0!; b: cell B4 holds #REF!",
    ]


def test_formulas_of_xls_whose_value_is_an_error_are_refused(load: Load, put: Put) -> None:
    """The tool that writes the file computes nothing: the value of its formula is replaced by what Excel stores."""
    data = saved(xls([["a"], [xlwt.Formula("1/0")], [5]]))
    computed = b"\x02\x00\x07\x00\x00\x00\xff\xff"
    empty = b"\x03\x00\x00\x00\x00\x00\xff\xff"
    assert data.count(empty) == 1
    put("x.xls", data.replace(empty, computed))
    loaded = load({"path": "x.xls"})
    assert loaded.reasons() == ["x.xls!Dados:2 a: cell A2 holds #DIV/0!"]
    assert loaded.column("a") == [5]


def test_days_that_no_calendar_has_are_refused(load: Load, put: Put) -> None:
    put("x.xls", saved(xls([["d"], [(-5, DAY)], [(3e6, DAY)], [(1, DAY)], [-5]])))
    loaded = load({"path": "x.xls"})
    assert loaded.column("d") == ["1900-01-01", "-5"]
    assert loaded.reasons() == [
        "x.xls!Dados:2 d: cell A2 holds the day -5, before the calendar begins",
        "x.xls!Dados:3 d: cell A3 holds the day 3000000, beyond the year 9999",
    ]


FORMATS = {
    "DD/MM/YYYY": dt.date(2024, 1, 31),
    "[$-416]d \\de mmmm": dt.date(2024, 1, 31),
    "[Red]0.00": 45322,
    '0 "dias"': 45322,
    "#,##0_);(#,##0)": 45322,
    "0.00E+00": 45322,
    "General": 45322,
    "[h]:mm": "1087728:00:00",
    '"R$" #,##0.00;[Red]-"R$" #,##0.00': 45322,
    "yyyy\\-mm\\-dd": dt.date(2024, 1, 31),
}


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_of_a_cell_says_whether_it_is_a_day(load: Load, put: Put, format: str) -> None:
    put("x.xls", saved(xls([["d"], [(45322, xlwt.easyxf(num_format_str=format))]])))
    assert load({"path": "x.xls"}).column("d") == [FORMATS[format]]


CELLS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30),
    st.sampled_from(["x" * 9000, "ação€" * 4000, "日本" * 9000, "a" * 8221 + "€"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=8), min_size=1, max_size=12))
def test_random_cells_of_xls_are_read_as_they_were_written(tmp_path: Path, rows: list[list[Any]]) -> None:
    """Also texts that go on over records, and change from one byte a character to two on the way."""
    path = tmp_path / "x.xls"
    path.write_bytes(saved(xls(rows)))
    book = Biff(path, "x.xls")
    assert book.look("Dados").faults == {}
    read = [row[: len(wrote)] for row, wrote in zip(book.sheet("Dados").iter_rows(), rows, strict=True)]
    assert read == rows


@pytest.mark.parametrize("shift", [0, 1462])
def test_dates_of_xls_count_from_1900_or_1904_as_the_workbook_says(load: Load, put: Put, shift: int) -> None:
    book = xls([["d"], *([(number, DAY)] for number in (59, 60, 61, 45322))])
    book.dates_1904 = bool(shift)
    put("x.xls", saved(book))
    first = dt.date(1904, 1, 1) if shift else dt.date(1899, 12, 30)
    wanted = [first + dt.timedelta(days=number) for number in (59, 60, 61, 45322)]
    if not shift:
        wanted[:2] = [dt.date(1900, 2, 28), dt.date(1900, 2, 28)]
    assert load({"path": "x.xls"}).column("d") == wanted


def test_sheets_ranges_headers_and_merged_cells_are_those_of_xlsx(load: Load, put: Put) -> None:
    book = xls([["no"]], [["título"], [None, "2024", None], [None, "jan", "fev"], [None, 1, 2]])
    book.get_sheet(1).write_merge(4, 5, 1, 1, 7)
    put("x.xls", saved(book))
    loaded = load({"path": "x.xls", "sheet": "Mais", "range": "B2:C", "header": 2, "merged": "fill"})
    assert [(r["2024_jan"], r["2024_fev"], r["_source"]) for r in loaded.rows] == [
        (1, 2, "x.xls!Mais:4"),
        (7, None, "x.xls!Mais:5"),
        (7, None, "x.xls!Mais:6"),
    ]
    head = line(cell(), cell("string", None, "2024"), cell()) + line(cell(), *map(_text, ("jan", "fev")))
    merged = 'table:number-rows-spanned="2" table:number-columns-spanned="1"'
    rows = line(cell(), cell("float", "7", "7", merged)) + line(cell(), "<table:covered-table-cell/>")
    put("y.ods", ods("", texts("título") + head + line(cell(), _number(1), _number(2)) + rows))
    loaded = load({"path": "y.ods", "sheet": "Dados1", "range": "B2:C", "header": 2, "merged": "fill"})
    assert [(r["2024_jan"], r["2024_fev"], r["_source"]) for r in loaded.rows] == [
        (1, 2, "y.ods!Dados1:4"),
        (7, None, "y.ods!Dados1:5"),
        (7, None, "y.ods!Dados1:6"),
    ]


def _text(value: str) -> str:
    return cell("string", None, value)


def _number(value: float) -> str:
    return cell("float", str(value), str(value))


def test_hidden_sheets_are_read_by_name_alone(load: Load, put: Put) -> None:
    put("x.ods", ods(texts("a") + texts("1"), texts("b") + texts("2"), hidden=0))
    assert load({"path": "x.ods"}).column("b") == ["2"]
    assert load({"path": "x.ods", "sheet": "Dados"}).column("a") == ["1"]
    book = xls([["a"], [1]], [["b"], [2]])
    book.get_sheet(0).visibility = 1
    put("x.xls", saved(book))
    assert load({"path": "x.xls"}).column("b") == [2]


ERROR = 'calcext:value-type="error"'
FAILED = cell("string", None, "#DIV/0!", 'table:formula="of:=1/0"').replace('calcext:value-type="string"', ERROR)
BESIDE = cell("float", "0", "Err:502").replace('calcext:value-type="float"', ERROR)
BY_EXCEL = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string"><text:p>#N/A</text:p></table:table-cell>'
)
ERRORS = [
    ("a number that is one", _number(1), None),
    ("LibreOffice", FAILED, "#DIV/0!"),
    ("a number beside an error", BESIDE, "Err:502"),
    ("Excel", BY_EXCEL, "#N/A"),
    ("never computed", '<table:table-cell table:formula="of:=1+1"/>', "a formula without a computed value"),
    ("before Christ", cell("date", "-0044-03-15", "x"), "the date -0044-03-15, which no table can hold"),
    ("30 February", cell("date", "2024-02-30", "x"), "the date 2024-02-30, which no table can hold"),
    ("a negative time", cell("time", "-PT1H", "x"), "the time -PT1H"),
    ("a number without one", cell("float", None, "7"), "a number without value"),
]


@pytest.mark.parametrize(("written", "said"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_cells_of_ods_without_a_value_are_refused_with_their_address(
    load: Load, put: Put, written: str, said: str | None
) -> None:
    put("x.ods", ods(texts("a", "b") + line(_text("x"), written) + line(_text("y"), cell())))
    loaded = load({"path": "x.ods"})
    assert loaded.reasons() == ([f"x.ods!Dados:2 b: cell B2 holds {said}"] if said else [])


def test_texts_of_ods_keep_blanks_tabs_and_lines_and_leave_notes_out(load: Load, put: Put) -> None:
    note = "<office:annotation><text:p>note</text:p></office:annotation>"
    cells = [
        '<text:p>a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d <text:span>e</text:span></text:p>',
        "<text:p>one</text:p><text:p/><text:p>three</text:p>",
        f"{note}<text:p>v</text:p>",
        "<text:p>#N/A</text:p>",
    ]
    rows = "".join(line(f'<table:table-cell office:value-type="string">{c}</table:table-cell>') for c in cells)
    put("x.ods", ods(texts("a") + rows))
    assert load({"path": "x.ods"}).column("a") == ["a   b\tc\nd e", "one\n\nthree", "v", "#N/A"]


def test_repeated_rows_and_cells_of_ods_are_each_a_cell(load: Load, put: Put) -> None:
    twice = cell("float", "7", "7", 'table:number-columns-repeated="2"')
    blank = line(cell(more='table:number-columns-repeated="1024"'), more='table:number-rows-repeated="5"')
    end = line(cell(more='table:number-columns-repeated="16384"'), more='table:number-rows-repeated="1048000"')
    rows = texts("a", "b") + line(twice, more='table:number-rows-repeated="3"') + blank + line(_number(1)) + end
    put("x.ods", ods(rows))
    loaded = load({"path": "x.ods"})
    assert [(r["a"], r["b"], r["_source"].rpartition(":")[2]) for r in loaded.rows] == [
        (7, 7, "2"), (7, 7, "3"), (7, 7, "4"), (1, None, "10")
    ]  # fmt: skip


def test_a_sheet_of_ods_that_repeats_itself_does_not_fill_memory(load: Load, put: Put) -> None:
    wide = cell("float", "7", "7", 'table:number-columns-repeated="16384"')
    put("x.ods", ods(line(wide, more='table:number-rows-repeated="1048576"')))
    with pytest.raises(SourceError, match=r"spans 1,048,576 rows and 16,384 columns") as caught:
        load({"path": "x.ods"})
    assert caught.value.code == "LG-210"


def test_a_cell_of_xls_far_away_does_not_fill_memory(load: Load, put: Put) -> None:
    data = saved(xls([["a"], [1.23456789]]))
    number = b"\x03\x02\x0e\x00\x01\x00\x00\x00"
    assert data.count(number) == 1
    put("x.xls", data.replace(number, b"\x03\x02\x0e\x00\xff\xff\xff\xff"))
    with pytest.raises(SourceError, match=r"spans 65,536 rows and 65,536 columns"):
        load({"path": "x.xls"})


def test_what_cannot_be_read_exactly_is_refused(load: Load, put: Put) -> None:
    binary = io.BytesIO()
    with zipfile.ZipFile(binary, "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
    locked = ods(texts("a"), manifest="<manifest><encryption-data/></manifest>")
    data = FILES["x.xls"]
    old = data.replace(b"\x09\x08\x10\x00\x00\x06", b"\x09\x08\x10\x00\x00\x05")
    for content, said in (
        (binary.getvalue(), r"an \.xlsb workbook, in which errors in cells could not be seen"),
        (locked, "it is encrypted"),
        (old, "a workbook of Excel 95"),
        (b"<html><table></table></html>", "cannot be read"),
        (data[:3000], "cut off|damaged"),
    ):
        put("x.xls", content)
        with pytest.raises(SourceError, match=said) as caught:
            load({"path": "x.xls"})
        assert caught.value.code == "LG-202"


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_end_in_a_clear_error_or_are_read(load: Load, put: Put, name: str) -> None:
    random = Random(7)
    for _ in range(60):
        data = bytearray(FILES[name])
        for _ in range(random.choice((1, 4, 30))):
            data[random.randrange(len(data))] = random.randrange(256)
        put(name, bytes(data[: random.choice((len(data), random.randrange(len(data))))]))
        try:
            load({"path": name})
        except SourceError as error:
            assert error.code in ("LG-202", "LG-203", "LG-206", "LG-208", "LG-210")
