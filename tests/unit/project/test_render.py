"""Errors as a user reads them."""

from __future__ import annotations

from lagoa.errors import Place, ProjectError, ProjectErrors
from lagoa.project.render import render


def test_the_caret_stands_below_the_column() -> None:
    place = Place("models/silver/orders.sql", 9, 6, "from bronze.order")
    error = ProjectError("LG-103", "nothing produces it", place=place, hint="did you mean `bronze.erp_orders`?")
    assert render(error) == (
        "error[LG-103]: nothing produces it\n"
        "  --> models/silver/orders.sql:9:6\n"
        "    |\n"
        "  9 | from bronze.order\n"
        "    |      ^\n"
        "  hint: did you mean `bronze.erp_orders`?"
    )


def test_tabs_accents_and_wide_letters_do_not_move_the_caret() -> None:
    text = "\tnão 日本 x"
    shown = render(ProjectError("LG-105", "m", place=Place("f", 1, text.index("x") + 1, text))).split("\n")
    assert shown[3] == "  1 |     não 日本 x"
    assert shown[4] == "    | " + " " * 13 + "^"


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "a" * 500 + "HERE" + "b" * 500
    lines = render(ProjectError("LG-105", "m", place=Place("f", 1, 501, text))).split("\n")
    assert len(lines[3]) < 180
    assert lines[3][lines[4].index("^")] == "H"


def test_without_line_or_place_nothing_is_made_up() -> None:
    assert render(ProjectError("LG-109", "m", place=Place("models/x.sql"))) == "error[LG-109]: m\n  --> models/x.sql"
    assert render(ProjectError("LG-112", "m", hint="h")) == "error[LG-112]: m\n  hint: h"


def test_several_errors_are_several_blocks() -> None:
    errors = ProjectErrors([ProjectError("LG-101", "a"), ProjectError("LG-102", "b")])
    assert render(errors) == "error[LG-101]: a\n\nerror[LG-102]: b"
