"""Rows line up, fit the terminal, and cannot steer it."""

from __future__ import annotations

from lagoa.serve.grid import grid


def test_numbers_are_right_aligned_and_nulls_are_not_empty_texts() -> None:
    assert grid(["name", "n"], [["a", "1"], ["", "1000"], [None, None]], right={1}) == [
        "name     n",
        "────  ────",
        "a        1",
        "      1000",
        "∅        ∅",
    ]


def test_wide_letters_take_two_places_and_combining_ones_none() -> None:
    lines = grid(["a", "b"], [["水", "x"], ["e\u0301", "x"], ["ab", "x"]])
    assert lines[2:] == ["水  x", "e\u0301   x", "ab  x"]


def test_the_widest_columns_are_cut_until_the_table_fits() -> None:
    lines = grid(["id", "text", "more"], [["1", "x" * 100, "y" * 30]], width=60)
    assert max(map(len, lines)) == 60
    assert lines[2].startswith("1   xxxx")
    assert lines[2].endswith("y" * 26 + "…")
    assert "…" in lines[2]


def test_columns_that_cannot_fit_are_counted_and_named() -> None:
    lines = grid([f"column_{i}" for i in range(30)], [["123456789"] * 30], width=40)
    assert max(map(len, lines)) <= 40
    assert lines[-1].startswith("… 26 more columns: column_4")


def test_data_cannot_steer_the_terminal_or_break_the_line() -> None:
    line = grid(["a"], [["x\x1b[31mred\ny\tz\x00"]])[2]
    assert line == "x�[31mred↵y→z�"


def test_no_rows_is_a_header_alone() -> None:
    assert grid(["a", "b"], []) == ["a  b", "─  ─"]


def test_names_are_cut_last() -> None:
    rows = [["bronze.northwind_orderdetails", "x" * 40, "y" * 20]]
    assert grid(["table", "a", "b"], rows, width=60, whole={0})[2].startswith("bronze.northwind_orderdetails  xxx")
    assert max(map(len, grid(["table", "a", "b"], rows, width=30, whole={0}))) == 30
