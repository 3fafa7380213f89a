"""Cells of .xls that no tool at hand writes, record by record, as [MS-XLS] describes them."""

from __future__ import annotations

from struct import pack

from lagoa.kit.excel.biff import _Cells
from lagoa.kit.excel.strings import Texts

FORMULA, STRING, SHARED, CONTINUE, MERGED = 0x0006, 0x0207, 0x04BC, 0x003C, 0x00E5


def cells(*records: tuple[int, bytes]) -> _Cells:
    found = _Cells([], ["number", "moment"], False, "x.xls")
    for kind, raw in records:
        found.take(kind, raw)
    found.end()
    return found


def formula(value: bytes, row: int = 0, style: int = 0) -> tuple[int, bytes]:
    return FORMULA, pack("<3H", row, 0, style) + value + b"\0" * 8


def special(kind: int, value: int = 0) -> bytes:
    return bytes([kind, 0, value, 0, 0, 0, 0xFF, 0xFF])


def text(value: str, wide: bool = False) -> bytes:
    return pack("<HB", len(value), wide) + value.encode("utf-16-le" if wide else "latin-1")


def test_a_formula_has_the_value_that_was_computed() -> None:
    found = cells(
        formula(pack("<d", 2.5)),
        formula(special(1, 1), row=1),
        formula(special(3), row=2),
        formula(special(2, 42), row=3),
        formula(pack("<d", 45322.0), row=4, style=1),
    )
    assert [found.lines[n][0] for n in range(4)] == [2.5, True, "", ""]
    assert str(found.lines[4][0]) == "2024-01-31"
    assert found.seen.faults == {(3, 0): "#N/A"}


def test_a_formula_s_text_follows_it_maybe_behind_the_formula_that_it_shares() -> None:
    between = (SHARED, b"\0" * 10)
    first, second = (STRING, text("ação")), (STRING, text("€", True))
    found = cells(formula(special(0)), between, first, formula(special(0), row=1), second)
    assert [found.lines[n] for n in range(2)] == [["ação"], ["€"]]


def test_a_formula_s_long_text_goes_on_in_another_width() -> None:
    found = cells(
        formula(special(0)), (STRING, pack("<HB", 5, 0) + b"abc"), (CONTINUE, b"\x01" + "€d".encode("utf-16-le"))
    )
    assert found.lines[0] == ["abc€d"]


def test_fonts_and_readings_beside_a_text_are_passed_over_also_over_records() -> None:
    rich = pack("<HBHI", 2, 8 | 4, 2, 6) + b"ab" + b"\0" * 5
    parts = [pack("<II", 2, 2) + rich, b"\0" * 9 + text("next")]
    assert Texts(parts).shared() == ["ab", "next"]


def test_merged_cells_are_told() -> None:
    raw = pack("<H4H", 1, 2, 3, 0, 1)
    assert cells((MERGED, raw)).merged == [((2, 0), (3, 1))]
